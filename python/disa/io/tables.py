# SPDX-License-Identifier: Apache-2.0
"""CSV tables, read so that no cell is lost, moved or made up: what is unclear is one line with its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from disa.errors import DISAError
from disa.io.kinds import check_file
from disa.io.numbers import number_of, shown

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class Line:
    """A line of a table.

    Attributes:
        number: in the file, from 1; of a cell with line breaks the last one.
        cells: as many as the table has columns.
    """

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table with a header.

    Attributes:
        path: of the file.
        header: names of the columns, as they stand there.
        lines: the others but empty ones.
        error: what is raised.
        known: names of columns that count in capitals, too.
        is_headed: whether the file has the header; otherwise it was made up.
    """

    path: Path
    header: list[str]
    lines: list[Line]
    error: type[DISAError]
    known: Sequence[str] = ()
    is_headed: bool = True

    @property
    def columns(self) -> list[str]:
        """Names of the columns without spaces around them; X is x where that is known and no column has it as it is."""
        names = [name.strip() for name in self.header]
        missing = set(self.known) - set(names)
        return [name.lower() if name.lower() in missing else name for name in names]

    def number(self, line: Line, column: str) -> float:
        """A cell as a number. Raises `error` with file, line and column."""
        cell = line.cells[self.columns.index(column)]
        try:
            if not cell.strip():
                raise ValueError("the cell is empty; expected a number")
            return number_of(cell)
        except ValueError as problem:
            raise self.error(f"{self.path}: line {line.number}, column {column}: {problem}") from None


def read_table(
    path: Path,
    expected: str,
    needed: Sequence[str],
    error: type[DISAError],
    known: Sequence[str] = (),
    may_lack_header: bool = False,
) -> Table:
    """A table in UTF-8 with commas between its cells; a byte order mark is passed over.

    Args:
        path: CSV file.
        expected: ends each line that says that it is no such table.
        needed: names of columns that there must be.
        error: what is raised.
        known: names of columns that there may be, in capitals or not; so may those that are needed.
        may_lack_header: whether a table that begins with as many numbers as columns are needed has no header, and these
            columns first.

    Raises:
        DISAError: `error`, in one line: it cannot be read, lacks a column or has one twice, or a line has more or fewer
            cells than the header.
    """
    check_file(path, expected, error)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror}; {expected}") from None
    except UnicodeDecodeError as problem:
        at = problem.object[: problem.start].count(b"\n") + 1
        raise error(f"{path}: line {at}: not UTF-8; save the table as UTF-8, with commas") from None
    lines = _lines_of(text, path, expected, error)
    if not lines:
        raise error(f"{path}: has no header; {expected}")
    if may_lack_header and _are_numbers(lines[0].cells[: len(needed)], len(needed)):
        header = [*needed, *([""] * (len(lines[0].cells) - len(needed)))]
        table = Table(path, header, lines, error, is_headed=False)
    else:
        table = Table(path, lines[0].cells, lines[1:], error, (*needed, *known))
    _check_header(table, expected, needed)
    for line in table.lines:
        if len(line.cells) != len(table.header):
            raise error(
                f"{path}: line {line.number}: has {len(line.cells)} cells, the "
                f"{'header' if table.is_headed else 'first line'} {len(table.header)}; "
                "put a cell with a comma between quotes"
            )
    return table


def _are_numbers(cells: Sequence[str], count: int) -> bool:
    try:
        return len([number_of(cell) for cell in cells]) == count
    except ValueError:
        return False


def _lines_of(text: str, path: Path, expected: str, error: type[DISAError]) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[Line] = []
    try:
        lines.extend(Line(reader.line_num, cells) for cells in reader if any(cells))
    except csv.Error as problem:
        raise error(f"{path}: line {reader.line_num}: {problem}; {expected}") from None
    if any("\0" in cell for line in lines for cell in line.cells):
        raise error(f"{path}: not a table; {expected}")
    return lines


def _check_header(table: Table, expected: str, needed: Sequence[str]) -> None:
    path, columns = table.path, table.columns
    for name in columns:
        if name and columns.count(name) > 1:
            raise table.error(f"{path}: line 1: column {name} is there {columns.count(name)} times; expected once")
    missing = [name for name in needed if name not in columns]
    if not missing:
        return
    for separator, called in _OTHER_SEPARATORS.items():
        if len(columns) == 1 and separator in columns[0]:
            raise table.error(f"{path}: line 1: cells are separated by {called}; expected commas")
    named = shown(", ".join(name.strip() for name in table.header if name.strip()))
    raise table.error(f"{path}: lacks the column {missing[0]}, has {named}; {expected}")
