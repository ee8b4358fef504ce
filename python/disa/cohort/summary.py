# SPDX-License-Identifier: Apache-2.0
"""The summary of a cohort: a table, and a page with a picture and a link of each report, the doubtful ones first."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from pathlib import Path
from string import Template

from disa.cohort.work import Outcome
from disa.io.writing import write_text
from disa.report.pictures import data_uri
from disa.report.record import PREVIEW

HEADER = ("name", "state", "value", "overlap", "confidence", "landmark_error_mm", "seconds", "doubts", "error")
IN_SENTENCES = ("name", "state", "doubts", "error")
"""Columns that the page does not show as numbers."""


def write_summary(outcomes: Sequence[Outcome], cohort: Path) -> None:
    """Write summary.csv, in the order of the outcomes, and summary.html into a cohort's folder. Raises OutputError."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_row(outcome) for outcome in outcomes)
    write_text(cohort / "summary.csv", table.getvalue())
    template = Template((Path(__file__).parent / "summary.html").read_text(encoding="utf-8"))
    failed = sum(bool(outcome.error) for outcome in outcomes)
    page = template.substitute(
        title=html.escape(cohort.absolute().name),
        counts=f"{len(outcomes)} pairs: {len(outcomes) - failed} done, {failed} not",
        pairs="\n".join(_pair(outcome, cohort) for outcome in sorted(outcomes, key=_trust)),
    )
    write_text(cohort / "summary.html", page)


def _trust(outcome: Outcome) -> tuple[bool, bool, float]:
    """Least of pairs that failed, then by doubts and confidence."""
    sure = outcome.found.get("confidence")
    return not outcome.error, not outcome.found.get("doubts"), 1.0 if sure is None else sure


def _row(outcome: Outcome) -> list[str]:
    if outcome.error:
        return [outcome.name, "failed", "", "", "", "", "", "", outcome.error]
    found = outcome.found
    landmarks = outcome.landmark_error
    return [
        outcome.name,
        "doubtful" if found["doubts"] else "done",
        f"{found['value']:.4f}",
        f"{found['overlap']:.3f}",
        "" if found.get("confidence") is None else f"{found['confidence']:.3f}",
        "" if landmarks is None else f"{landmarks:.3f}",
        f"{found['seconds']['total']:.2f}",
        " ".join(found["doubts"]),
        "",
    ]


def _pair(outcome: Outcome, cohort: Path) -> str:
    """An entry of the page."""
    cells = {name: html.escape(cell) for name, cell in zip(HEADER, _row(outcome), strict=True)}
    name, report = cells["name"], f"{cells['name']}/report.html"
    title = name if outcome.error else f'<a href="{report}">{name}</a>'
    numbers = "".join(
        f"<div><dt>{column.replace('_', ' ')}</dt><dd>{cell}</dd></div>"
        for column, cell in cells.items()
        if cell and column not in IN_SENTENCES
    )
    picture = "" if outcome.error else _picture(cohort / outcome.name / PREVIEW, report, name)
    said = cells["error"] or cells["doubts"]
    return (
        f'<li class="{cells["state"]}"><p>{title} <b>{cells["state"]}</b></p>{picture}<dl>{numbers}</dl>'
        f"{f'<p>{said}</p>' if said else ''}</li>"
    )


def _picture(path: Path, report: str, name: str) -> str:
    """The preview with a link; nothing where an earlier version has left none."""
    try:
        picture = data_uri(path.read_bytes())
    except OSError:
        return ""
    alt = f"{name}: moved image in three planes, with the fixed image's edges"
    return f'<a href="{report}"><img src="{picture}" alt="{alt}" width="600" height="200"></a>'
