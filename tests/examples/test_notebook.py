# SPDX-License-Identifier: Apache-2.0
"""The example notebook runs on a user's own two files, and is kept without what its cells show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
import SimpleITK as sitk
from nbclient import NotebookClient

from helpers.displaced import displaced_images, error_of
from helpers.paths import EXAMPLES

NOTEBOOK = EXAMPLES / "notebook" / "registration.ipynb"
OWN_FILES = 'FIXED = "own_fixed.nii.gz"\nMOVING = "own_moving.nii.gz"\n'


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of a user's."""
    folder = tmp_path_factory.mktemp("notebook")
    fixed, moving, _ = displaced_images()
    sitk.WriteImage(fixed, str(folder / "own_fixed.nii.gz"))
    sitk.WriteImage(moving, str(folder / "own_moving.nii.gz"))
    return folder


@pytest.fixture(scope="module")
def executed(folder: Path) -> Any:
    """The notebook after the run, with the two paths written into its first cell."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code_cells(notebook)[0].source = OWN_FILES
    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()


def test_nothing_that_cells_show_is_kept() -> None:
    cells = code_cells(nbformat.read(NOTEBOOK, as_version=4))
    assert [line.split(" = ")[0] for line in cells[0].source.splitlines()] == ["FIXED", "MOVING"]
    for cell in cells:
        assert cell.outputs == [] and cell.execution_count is None and "execution" not in cell.metadata


def test_the_users_files_are_brought_together(executed: Any, folder: Path) -> None:
    assert error_of(sitk.ReadTransform(str(folder / "fixed_to_moving.tfm")), displaced_images()[2]) < 1.0
    assert sitk.ReadImage(str(folder / "moved.nii.gz")).GetSize() == displaced_images()[0].GetSize()


def test_the_result_shows_itself_and_pictures_are_drawn(executed: Any) -> None:
    shown = [o.data for cell in code_cells(executed) for o in cell.outputs if "data" in o]
    assert any("Euler3DTransform" in data.get("text/html", "") for data in shown)
    assert sum("image/png" in data for data in shown) == 3
    assert not [o for cell in code_cells(executed) for o in cell.outputs if o.get("name") == "stderr"]
