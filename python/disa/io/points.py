# SPDX-License-Identifier: Apache-2.0
"""Points of a CSV table: columns x, y, z in mm, in ITK's LPS frame; other columns are kept."""

from __future__ import annotations

import csv
import io
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from disa.errors import ImageError

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Points:
    """A table of points.

    Attributes:
        positions: shape (n, 3), x, y, z in mm (LPS).
        rows: the table's lines as they were read.
    """

    positions: npt.NDArray[np.float64]
    rows: list[dict[str, str]]

    def moved_to(self, positions: npt.NDArray[np.float64]) -> str:
        """The table as CSV with other positions."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        for row, position in zip(self.rows, positions, strict=True):
            writer.writerow({**row, **{axis: f"{value:.6f}" for axis, value in zip(AXES, position, strict=True)}})
        return text.getvalue()


def read_points(path: Path) -> Points:
    """The points of a CSV file.

    Raises:
        ImageError: it is missing, is no such table, or has no points.
    """
    expected = f"expected a CSV table with columns {', '.join(AXES)} in mm (LPS) and a point a line"
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}; {expected}") from None
    if not is_file:
        raise ImageError(f"{path}: is no file; {expected}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        positions = np.array([[float(row[axis]) for axis in AXES] for row in rows])
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}; {expected}") from None
    except (csv.Error, UnicodeDecodeError, KeyError, TypeError, ValueError):
        raise ImageError(f"{path}: not a table of points; {expected}") from None
    if not len(positions) or not np.isfinite(positions).all():
        raise ImageError(f"{path}: {'no points' if not len(positions) else 'a number is not finite'}; {expected}")
    return Points(positions, rows)
