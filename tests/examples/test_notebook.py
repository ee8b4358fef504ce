"""The example notebook runs, and is kept without what its cells show."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.paths import EXAMPLES

NOTEBOOK = EXAMPLES / "notebook" / "registration.ipynb"
TOLERANCE_MM = 1.0


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def executed() -> Any:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}})
    return client.execute()


def test_nothing_that_cells_show_is_kept() -> None:
    for cell in code_cells(nbformat.read(NOTEBOOK, as_version=4)):
        assert cell.outputs == [] and cell.execution_count is None and "execution" not in cell.metadata


@pytest.mark.slow
def test_both_registrations_end_where_they_should(executed: Any) -> None:
    printed = "".join(o.text for cell in code_cells(executed) for o in cell.outputs if o.get("name") == "stdout")
    errors = [float(number) for number in re.findall(r"([\d.]+) mm$", printed, flags=re.M)]
    assert len(errors) == 2 and max(errors) < TOLERANCE_MM


def test_the_result_shows_itself_and_pictures_are_drawn(executed: Any) -> None:
    shown = [o.data for cell in code_cells(executed) for o in cell.outputs if "data" in o]
    assert any("Euler3DTransform" in data.get("text/html", "") for data in shown)
    assert sum("image/png" in data for data in shown) == 4
    assert not [o for cell in code_cells(executed) for o in cell.outputs if o.get("name") == "stderr"]
