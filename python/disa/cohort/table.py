# SPDX-License-Identifier: Apache-2.0
"""The table of a cohort: a pair of images a line."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from disa.errors import ConfigError
from disa.io.tables import read_table as read_lines
from disa.report.job import Inputs

COLUMNS = ("name", *(field.name for field in fields(Inputs)))
NO_PATHS = ("fixed_series", "moving_series")
NAME = re.compile(r"\w[\w.+-]*")
TAKEN = ("features", "locks", "summary.csv", "summary.html")
"""What else there is in the folder of a cohort."""


def read_table(path: Path) -> dict[str, Inputs]:
    """The files of each pair by its name.

    Args:
        path: CSV with the columns fixed and moving, and any of name, initial_transform, fixed_mask, moving_mask,
            fixed_landmarks, moving_landmarks, truth, fixed_weights, fixed_rigid_parts, moving_rigid_parts,
            fixed_constraint_landmarks, moving_constraint_landmarks, fixed_series, moving_series; an empty cell is none.
            Paths are relative to the table's folder. Pairs without a name are called pair-1 and so on, by their line.

    Raises:
        ConfigError: it is missing or no such table, or two pairs have one name.
    """
    expected = f"expected a CSV table with the columns fixed and moving, and any of {', '.join(sorted(COLUMNS))}"
    lines = read_lines(path, expected, ("fixed", "moving"), ConfigError, COLUMNS)
    wrong = [name for name in lines.columns if name not in COLUMNS]
    if wrong:
        raise ConfigError(f"{path}: has the columns {', '.join(lines.columns)}; {expected}")
    if not lines.lines:
        raise ConfigError(f"{path}: no pairs; {expected}")
    pairs: dict[str, Inputs] = {}
    for number, line in enumerate(lines.lines, 1):
        row = {name: cell.strip() for name, cell in zip(lines.columns, line.cells, strict=True)}
        where = f"{path}: line {line.number}"
        if not (row["fixed"] and row["moving"]):
            raise ConfigError(f"{where}: expected a fixed and a moving image")
        name = row.pop("name", "") or f"pair-{number}"
        if not NAME.fullmatch(name) or name in TAKEN:
            raise ConfigError(f"{where}: name {name!r}: expected letters, digits, '_', '.', '+' or '-', for a folder")
        if name in pairs:
            raise ConfigError(f"{where}: name {name!r} is there twice; give each pair a name of its own")
        given: dict[str, Any] = {
            column: cell if column in NO_PATHS else (path.parent / cell).absolute()
            for column, cell in row.items()
            if cell
        }
        pairs[name] = Inputs(**given)
    return pairs
