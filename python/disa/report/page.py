# SPDX-License-Identifier: Apache-2.0
"""A registration as one self-contained page to look at."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from disa.report.curves import draw_curves
from disa.report.pictures import data_uri
from disa.report.tables import Table, tables
from disa.report.verdict import Verdict, verdict
from disa.report.view import View

HERE = Path(__file__).parent
SCRIPTS = ("state.js", "volumes.js", "layers.js", "panels.js", "controls.js")

DEFORMATION_CONTROLS = """<label><input type="checkbox" id="grid">deformed grid</label>
  <label><input type="checkbox" id="determinant">Jacobian determinant</label>
  <span class="key" id="determinant-key" hidden><i style="background:#3c82ff"></i> shrinks
  <i style="background:#ff5a3c"></i> grows <i style="background:#f0f"></i> folds</span>"""
DISAGREEMENT_CONTROL = """
  <label><input type="checkbox" id="disagreement">disagreement</label>
  <span class="key" id="disagreement-key" hidden><i style="background:#ffd200"></i> the two
  directions miss each other by 10 mm or more</span>"""


@dataclass(frozen=True)
class Page:
    """What a report says.

    Attributes:
        title: one line.
        subtitle: another.
        verdict: how far to trust it.
        tables: in order.
        curves: by heading, the metric's values in optimisations that followed each other.
        notes: about the pictures, a sentence each.
    """

    title: str
    subtitle: str
    verdict: Verdict
    tables: Sequence[Table] = ()
    curves: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)
    notes: Sequence[str] = ()


def page_of(title: str, found: dict[str, Any], notes: Sequence[str]) -> Page:
    """The texts about what result.json holds; its hashes are those of the inputs alone so far."""
    settings = found["settings"]
    curves = {"Metric by iteration: one optimisation after the other, each over sharper descriptors": found["trace"]}
    if "deformation" in found:
        curves["Metric of the deformation by iteration"] = [found["deformation"]["trace"]]
    kind = f"{settings['transform']}, then a deformation" if settings["deformable"] else settings["transform"]
    date = found["date"].replace("T", " ")
    subtitle = f"{settings['search']} search, {kind}, {found['seconds']['total']:.1f} s, {date}"
    return Page(title, subtitle, verdict(found), tables(found), curves, notes)


def write_html(page: Page, view: View) -> str:
    """The page, with every picture in it; nothing is loaded from elsewhere."""
    said = page.verdict
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(page.title),
        subtitle=html.escape(page.subtitle),
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        verdict_class="doubtful" if said.is_doubtful else "",
        verdict=html.escape(said.text),
        sentences=html.escape(" ".join(said.sentences)),
        checks="".join(f"<li>{html.escape(check)}</li>" for check in said.checks),
        deformation_controls=_deformation_controls(view),
        notes=" ".join(html.escape(note) for note in [*page.notes, *view.notes]),
        tables="\n".join(_table(table) for table in page.tables),
        curves="\n".join(_curve(heading, runs) for heading, runs in page.curves.items()),
        preview=data_uri(view.preview),
        view=json.dumps(view.data, separators=(",", ":")).replace("</", "<\\/"),
        script="\n".join((HERE / "viewer" / name).read_text(encoding="utf-8") for name in SCRIPTS),
    )


def _deformation_controls(view: View) -> str:
    """Switches for what is known of a deformation."""
    if "deformation" not in view.data:
        return ""
    return DEFORMATION_CONTROLS + (DISAGREEMENT_CONTROL if "disagreements" in view.data["deformation"] else "")


def _table(table: Table) -> str:
    kind = "" if table.is_printed else ' class="on-screen"'
    lines = [f"<section{kind}>", f"<h2>{html.escape(table.heading)}</h2>", '<div class="scroll"><table>']
    if table.header:
        lines.append("<tr>" + "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.header) + "</tr>")
    for first, *others in table.rows:
        cells = "".join(f"<td>{html.escape(_text(cell))}</td>" for cell in others)
        lines.append(f'<tr><th scope="row">{html.escape(_text(first))}</th>{cells}</tr>')
    lines.append("</table></div>")
    if table.note:
        lines.append(f'<p class="note">{html.escape(table.note)}</p>')
    return "\n".join([*lines, "</section>"])


def _curve(heading: str, runs: Sequence[Sequence[float]]) -> str:
    return f'<section class="on-screen"><h2>{html.escape(heading)}</h2>\n{draw_curves(runs)}</section>'


def _text(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, (float, np.floating)) else str(cell)
