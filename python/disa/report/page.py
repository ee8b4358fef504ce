# SPDX-License-Identifier: Apache-2.0
"""A registration as one self-contained page to look at."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import Template

import numpy as np
import SimpleITK as sitk

from disa.report.curves import draw_curves
from disa.report.slices import COUNT, draw_planes


@dataclass(frozen=True)
class Page:
    """What a report shows.

    Attributes:
        title: one line.
        subtitle: another.
        doubts: what speaks against the result, a sentence each.
        tables: by heading, rows of cells; the first cell of a row is its name.
        headers: by heading, of the columns, where there are any.
        curves: by heading, the metric's values in optimisations that followed each other.
    """

    title: str
    subtitle: str
    doubts: Sequence[str]
    tables: Mapping[str, Sequence[Sequence[object]]]
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    curves: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)


def write_html(page: Page, fixed: sitk.Image, moving: sitk.Image, before: sitk.Transform, after: sitk.Transform) -> str:
    """The page, with every picture in it; nothing is loaded from elsewhere.

    Args:
        page: its texts.
        fixed, moving: the images.
        before, after: where it started and ended, from fixed to moving points.
    """
    planes = draw_planes(fixed, moving, before, after)
    template = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))
    sentences = page.doubts or ["Nothing speaks against this result. Look at the pictures before you trust it."]
    return template.substitute(
        title=html.escape(page.title),
        subtitle=html.escape(page.subtitle),
        verdict_class="doubtful" if page.doubts else "",
        verdict="".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences),
        tables="\n".join(_table(heading, rows, page.headers.get(heading)) for heading, rows in page.tables.items()),
        curves="\n".join(_curve(heading, runs) for heading, runs in page.curves.items()),
        planes=json.dumps([asdict(plane) for plane in planes]).replace("</", "<\\/"),
        count=COUNT,
    )


def _table(heading: str, rows: Sequence[Sequence[object]], header: Sequence[str] | None) -> str:
    lines = [f"<h2>{html.escape(heading)}</h2>", "<table>"]
    if header:
        lines.append("<tr>" + "".join(f"<th>{html.escape(name)}</th>" for name in header) + "</tr>")
    for first, *others in rows:
        cells = "".join(f'<td class="number">{html.escape(_text(cell))}</td>' for cell in others)
        lines.append(f"<tr><th>{html.escape(_text(first))}</th>{cells}</tr>")
    return "\n".join([*lines, "</table>"])


def _curve(heading: str, runs: Sequence[Sequence[float]]) -> str:
    return f"<h2>{html.escape(heading)}</h2>\n{draw_curves(runs)}"


def _text(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, (float, np.floating)) else str(cell)
