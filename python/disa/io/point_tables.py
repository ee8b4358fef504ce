# SPDX-License-Identifier: Apache-2.0
"""Points of a CSV table: columns x, y, z in mm, in ITK's LPS frame; other columns are kept."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from disa.errors import ImageError
from disa.io.tables import Table, read_table

TABLE_ENDING = ".csv"
AXES = ("x", "y", "z")


@dataclass(frozen=True)
class PointTable:
    """A table of points.

    Attributes:
        positions: shape (n, 3), x, y, z in mm (LPS).
        table: as it was read.
    """

    positions: npt.NDArray[np.float64]
    table: Table

    def moved_to(self, positions: npt.NDArray[np.float64]) -> str:
        """The table as CSV with other positions; every other cell is as it was."""
        rows = [self.table.header] if self.table.is_headed else []
        places = [self.table.columns.index(axis) for axis in AXES]
        for line, position in zip(self.table.lines, positions, strict=True):
            cells = list(line.cells)
            for place, value in zip(places, position, strict=True):
                cells[place] = f"{value:.6f}"
            rows.append(cells)
        return "".join(_written(row) for row in rows)


def _written(cells: list[str]) -> str:
    """A line; a cell with any line break is between quotes. Python's writer looks for its own break only."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def read_point_table(path: Path) -> PointTable:
    """The points of a CSV file.

    Raises:
        ImageError: it is missing, is no such table, has no points, or a cell of x, y or z is no finite number.
    """
    expected = f"expected a CSV table with columns {', '.join(AXES)} in mm (LPS) and a point a line"
    table = read_table(path, expected, AXES, ImageError, may_lack_header=True)
    if not table.lines:
        raise ImageError(f"{path}: no points; {expected}")
    return PointTable(np.array([[table.number(line, axis) for axis in AXES] for line in table.lines]), table)
