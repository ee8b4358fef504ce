# SPDX-License-Identifier: Apache-2.0
"""Tables on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

UNLIMITED = 10_000
"""Columns where no terminal has a border."""


def print_pairs(content: Mapping[str, object]) -> None:
    """A name and a value a line, values to the letter: no line is broken, and brackets are brackets."""
    console = Console()
    width = max(map(len, content), default=0)
    for name, value in content.items():
        line = Text.assemble((f" {name:<{width}}", "bold"), "  ", str(value))
        console.print(line, soft_wrap=True)


def print_rows(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table with a header; the first column is left-aligned, the others are numbers."""
    table = Table(box=None)
    for index, name in enumerate(header):
        table.add_column(Text(name), justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*(Text(f"{cell:.3f}" if isinstance(cell, float) else str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else UNLIMITED).print(table)
