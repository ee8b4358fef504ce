# SPDX-License-Identifier: Apache-2.0
"""Files of points in mm: CSV tables, and the markups of 3D Slicer. All that is no position is kept as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from disa.errors import ConfigError
from disa.io.markup_json import JSON_ENDING, read_markup_json
from disa.io.markup_lists import LIST_ENDING, read_markup_list
from disa.io.point_tables import TABLE_ENDING, read_point_table
from disa.io.writing import is_written_into

ENDINGS = (TABLE_ENDING, LIST_ENDING, JSON_ENDING)
"""Of files of points."""


class Points(Protocol):
    """A file of points, as it was read."""

    @property
    def positions(self) -> npt.NDArray[np.float64]:
        """Shape (n, 3), x, y, z in mm (LPS)."""

    def moved_to(self, positions: npt.NDArray[np.float64]) -> str:
        """The content of the file with other positions, mm (LPS), in the coordinate system that it has."""


def ending_of(path: Path) -> str:
    """Which of `ENDINGS` a file has; empty: it is no file of points."""
    return next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), "")


def read_points(path: Path) -> Points:
    """The points of a file: .fcsv or .mrk.json of 3D Slicer, and a CSV table otherwise.

    A table has columns x, y and z in mm (LPS). One of numbers alone has no header, and its first three columns count.
    Slicer's files say themselves whether they are LPS or RAS.

    Raises:
        ImageError: it is missing, is no such file, has no points, or a coordinate is no finite number.
    """
    ending = ending_of(path)
    if ending == LIST_ENDING:
        return read_markup_list(path)
    return read_markup_json(path) if ending == JSON_ENDING else read_point_table(path)


def check_same_kind(source: Path, output: Path) -> None:
    """Raises ConfigError where points would be written under the ending of another kind of file."""
    is_other_file = output.suffix != "" and not is_written_into(output)
    if ending_of(output) != ending_of(source) and (ending_of(output) or is_other_file):
        raise ConfigError(
            f"{output}: points are written as they were read; give a name that ends in {ending_of(source)}"
        )
