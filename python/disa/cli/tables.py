# SPDX-License-Identifier: Apache-2.0
"""Tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table


def print_pairs(content: Mapping[str, object]) -> None:
    """A name and a value a line."""
    table = Table(show_header=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in content.items():
        table.add_row(name, str(value))
    Console().print(table)


def print_rows(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table with a header; the first column is left-aligned, the others are numbers."""
    table = Table(box=None)
    for index, name in enumerate(header):
        table.add_column(name, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console().print(table)
