# SPDX-License-Identifier: Apache-2.0
"""The summary of a cohort: a table, and a page that links each report."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from pathlib import Path
from string import Template

from disa.cohort.work import Outcome
from disa.io.writing import write_text

HEADER = ("name", "state", "value", "overlap", "confidence", "landmark_error_mm", "seconds", "doubts", "error")


def write_summary(outcomes: Sequence[Outcome], cohort: Path) -> None:
    """Write summary.csv and summary.html into the folder of a cohort. Raises OutputError."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(HEADER)
    rows = [_row(outcome) for outcome in outcomes]
    writer.writerows(rows)
    write_text(cohort / "summary.csv", table.getvalue())
    template = Template((Path(__file__).parent / "summary.html").read_text(encoding="utf-8"))
    failed = sum(bool(outcome.error) for outcome in outcomes)
    page = template.substitute(
        title=html.escape(cohort.absolute().name),
        counts=f"{len(outcomes)} pairs: {len(outcomes) - failed} done, {failed} not",
        header="".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in HEADER),
        rows="\n".join(_line(row) for row in rows),
    )
    write_text(cohort / "summary.html", page)


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


def _line(row: Sequence[str]) -> str:
    name, state = html.escape(row[0]), html.escape(row[1])
    first = name if state == "failed" else f'<a href="{name}/report.html">{name}</a>'
    cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in row[2:])
    return f'<tr class="{state}"><td>{first}</td><td>{state}</td>{cells}</tr>'
