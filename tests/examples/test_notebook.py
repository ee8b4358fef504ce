# SPDX-License-Identifier: Apache-2.0
"""The example notebook runs on a user's own two files, and is kept without what its cells show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
import SimpleITK as sitk

from helpers.displaced import displaced_images, error_of
from helpers.notebooks import Shown, run_cells
from helpers.paths import EXAMPLES

NOTEBOOK = EXAMPLES / "notebook" / "registration.ipynb"
OWN_FILES = 'FIXED = "own_fixed.nii.gz"\nMOVING = "own_moving.nii.gz"\n'


def code_cells() -> list[Any]:
    return [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of a user's."""
    folder = tmp_path_factory.mktemp("notebook")
    fixed, moving, _ = displaced_images()
    sitk.WriteImage(fixed, str(folder / "own_fixed.nii.gz"))
    sitk.WriteImage(moving, str(folder / "own_moving.nii.gz"))
    return folder


@pytest.fixture(scope="module")
def shown(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """What the notebook shows, with the two paths written into its first cell."""
    sources = [cell.source for cell in code_cells()]
    return run_cells([OWN_FILES, *sources[1:]], folder, tmp_path_factory.mktemp("ipython"))


def test_nothing_that_cells_show_is_kept() -> None:
    cells = code_cells()
    assert [line.split(" = ")[0] for line in cells[0].source.splitlines()] == ["FIXED", "MOVING"]
    for cell in cells:
        assert cell.outputs == [] and cell.execution_count is None and "execution" not in cell.metadata


def test_the_users_files_are_brought_together(shown: Shown, folder: Path) -> None:
    assert error_of(sitk.ReadTransform(str(folder / "fixed_to_moving.tfm")), displaced_images()[2]) < 1.0
    assert sitk.ReadImage(str(folder / "moved.nii.gz")).GetSize() == displaced_images()[0].GetSize()


def test_the_result_shows_itself_and_pictures_are_drawn(shown: Shown) -> None:
    assert any("Euler3DTransform" in data.get("text/html", "") for data in shown.data)
    assert sum("image/png" in data for data in shown.data) == 3
    assert shown.stderr == ""
