# SPDX-License-Identifier: Apache-2.0
"""Lists of points of 3D Slicer, .fcsv."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from disa.errors import ImageError
from disa.io.coordinate_systems import LPS_OF
from disa.io.kinds import check_file
from disa.io.numbers import number_of, shown

LIST_ENDING = ".fcsv"

_SYSTEMS = {"LPS": "LPS", "RAS": "RAS", "0": "RAS", "1": "LPS"}
"""As they are written; Slicer wrote numbers until its version 4.10."""
_EXPECTED = "expected a list of markups as 3D Slicer writes it"
_FIRST = 1
"""The column of x, behind the point's identifier."""


@dataclass(frozen=True)
class MarkupList:
    """A list of points.

    Attributes:
        positions: shape (n, 3), x, y, z in mm (LPS).
        system: LPS or RAS, in which the file has them.
        head: lines before the points, as they stand there.
        cells: of each point, as they stand there.
    """

    positions: npt.NDArray[np.float64]
    system: str
    head: list[str]
    cells: list[list[str]]

    def moved_to(self, positions: npt.NDArray[np.float64]) -> str:
        """The same list with other positions, mm (LPS), written in the system that it has."""
        text = io.StringIO()
        text.writelines(f"{line}\n" for line in self.head)
        writer = csv.writer(text, lineterminator="\n")
        for cells, position in zip(self.cells, positions * LPS_OF[self.system], strict=True):
            writer.writerow([*cells[:_FIRST], *(f"{value:.6f}" for value in position), *cells[_FIRST + 3 :]])
        return text.getvalue()


def read_markup_list(path: Path) -> MarkupList:
    """The points of a .fcsv file.

    Raises:
        ImageError: it is missing, no such file, in voxels, has no points, or a coordinate is no finite number.
    """
    check_file(path, _EXPECTED, ImageError)
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as problem:
        raise ImageError(f"{path}: cannot be read: {problem.strerror}; {_EXPECTED}") from None
    except UnicodeDecodeError:
        raise ImageError(f"{path}: not UTF-8; {_EXPECTED}") from None
    head = [line for line in lines if line.startswith("#")]
    cells, positions = [], []
    for at, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            (row,) = csv.reader([line], strict=True)
            place = row[_FIRST : _FIRST + 3]
            if len(place) < 3:
                raise ValueError(f"has {len(row)} cells; expected an identifier, x, y and z")
            positions.append([number_of(word) for word in place])
        except (ValueError, csv.Error) as problem:
            raise ImageError(f"{path}: line {at}: {problem}; {_EXPECTED}") from None
        cells.append(row)
    system = _system_of(head, path)
    if not cells:
        raise ImageError(f"{path}: no points; {_EXPECTED}")
    return MarkupList(np.array(positions) * LPS_OF[system], system, head, cells)


def _system_of(head: list[str], path: Path) -> str:
    """LPS or RAS, as a line of the head says. Raises ImageError."""
    for line in head:
        name, _, value = line.lstrip("# ").partition("=")
        if name.strip() == "CoordinateSystem":
            if value.strip() in _SYSTEMS:
                return _SYSTEMS[value.strip()]
            raise ImageError(
                f"{path}: is in {shown(value.strip())}; expected LPS or RAS, in mm: save it so in 3D Slicer"
            )
    raise ImageError(f"{path}: lacks the line CoordinateSystem = LPS or RAS; {_EXPECTED}")
