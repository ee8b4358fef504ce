# SPDX-License-Identifier: Apache-2.0
"""Cells of a notebook in this process: an interpreter of its own would spend most of its time on loading ITK."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config


class Shell(InteractiveShell):
    """One without windows, for `%matplotlib inline`."""

    def enable_gui(self, gui: str | None = None) -> None:
        assert gui is None


@dataclass
class Shown:
    """What cells have shown.

    Attributes:
        stderr: text.
        data: of every output, by MIME type.
    """

    stderr: str
    data: list[dict[str, Any]]


def run_cells(sources: Sequence[str], folder: Path, scratch: Path) -> Shown:
    """Run the sources of code cells one after the other in a folder. `scratch` is for IPython's own files."""
    shown = Shown("", [])
    before = Path.cwd()
    backend = matplotlib.get_backend()
    os.chdir(folder)
    config = Config({"HistoryManager": {"enabled": False}})
    shell = Shell.instance(config=config, ipython_dir=str(scratch))
    try:
        for source in sources:
            with capture_output() as captured:
                result = shell.run_cell(source)
            result.raise_error()
            shown.stderr += captured.stderr
            shown.data += [output.data for output in captured.outputs]
            if result.result is not None:
                shown.data.append(shell.display_formatter.format(result.result)[0])
    finally:
        Shell.clear_instance()
        matplotlib.use(backend)
        os.chdir(before)
    return shown
