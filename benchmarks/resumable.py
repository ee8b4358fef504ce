# SPDX-License-Identifier: Apache-2.0
"""A CSV table that gets a row a run as it ends, so that after a kill the same command goes on."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Row = dict[str, str]


def read_rows(path: Path) -> list[Row]:
    """Whole rows of the table; a last one that a kill cut short is left out."""
    if not path.is_file():
        return []
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    return [row for row in csv.DictReader(whole.splitlines()) if None not in row.values()]


def record(
    path: Path,
    fields: Sequence[str],
    known: Iterable[Row],
    results: Iterable[Mapping[str, Any]],
    total: int,
    told: Callable[[Mapping[str, Any]], str],
) -> None:
    """Write the table anew, and each further row as it comes, with progress on stderr.

    Args:
        path: of the table.
        fields: its columns.
        known: rows that it has.
        results: further ones.
        total: how many these are.
        told: the line of a row.
    """
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs, left"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with path.open("w", newline="") as file, Progress(*columns, console=Console(stderr=True)) as progress:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(known)
        file.flush()
        bar = progress.add_task("", total=total)
        for row in results:
            writer.writerow(row)
            file.flush()
            progress.advance(bar)
            progress.console.print(told(row))
