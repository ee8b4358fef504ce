# SPDX-License-Identifier: Apache-2.0
"""The module for 3D Slicer, with stand-ins for Slicer's own modules and with the real command."""

from __future__ import annotations

import ast
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk

from helpers.displaced import displaced_images, error_of
from helpers.slicer_stand_in import FOLDER, Node, Scene, slicer_with

COMMAND = f"#!{sys.executable}\nfrom disa.cli.app import app\napp()\n"
Make = Callable[[str], str]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def panel(scene: Scene) -> Iterator[Any]:
    """The module's panel with two empty volumes chosen."""
    with slicer_with(scene):
        widget = importlib.import_module("DISARegistration").DISARegistrationWidget()
        widget.setup()
        for selector, name in ((widget.fixed, "CTHead"), (widget.moving, "MRHead")):
            selector.node = scene.add(Node(name, sitk.Image(2, 2, 2, sitk.sitkFloat32)))
        yield widget
        widget.cleanup()


@pytest.fixture
def program(tmp_path: Path) -> Make:
    """Makes a program of a text, and says its path."""

    def make(text: str) -> str:
        path = tmp_path / "disa"
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    return make


def wait_for(panel: Any) -> None:
    """Tick the panel's timer until it is off."""
    end = time.monotonic() + 120
    while panel.timer.is_on:
        assert time.monotonic() < end, "the registration did not end"
        panel.timer.slots["timeout()"]()
        time.sleep(0.02)


def test_the_result_is_in_the_scene(panel: Any, scene: Scene, program: Make) -> None:
    fixed, moving, centre = displaced_images()
    panel.fixed.node.content, panel.moving.node.content = fixed, moving
    panel.program.text = program(COMMAND)
    panel.press(False)
    assert panel.button.text == "Stop"
    wait_for(panel)
    transform = panel.moving.node.above
    assert transform.name == "DISA MRHead" and error_of(transform.content, centre) < 1.0
    assert 0.5 < float(transform.GetAttribute("DISA.Confidence")) <= 1.0
    assert panel.said.text.startswith("confidence: ") and panel.button.text == "Register"
    text = next(node.text for node in scene.nodes if node.name == "DISA MRHead result")
    assert json.loads(text)["transform"] is not None
    assert panel.fixed.node.above is None


def test_what_the_command_says_is_told(panel: Any, scene: Scene, program: Make) -> None:
    panel.program.text = program("#!/bin/sh\necho first\necho 'disa: fixed.nrrd: cannot be read' >&2\nexit 1\n")
    panel.press(False)
    wait_for(panel)
    assert panel.said.text == "disa: fixed.nrrd: cannot be read"
    assert [node.name for node in scene.nodes] == ["CTHead", "MRHead"]


def test_stop_ends_the_process_and_leaves_no_files(panel: Any, program: Make) -> None:
    panel.program.text = program("#!/bin/sh\nexec sleep 60\n")
    panel.press(False)
    job = panel.logic._job
    assert job.is_running and job.fixed.is_file()
    panel.press(False)
    assert panel.said.text == "stopped" and not job.is_running and not job.folder.exists()


def test_bad_input_is_one_line(panel: Any, scene: Scene) -> None:
    panel.program.text = "no-such-program"
    panel.press(False)
    assert panel.said.text == "no-such-program: no such program; give the path of disa, such as ENV/bin/disa"
    panel.moving.node = panel.fixed.node
    panel.press(False)
    assert panel.said.text == "choose two volumes: fixed and moving are the same one"
    panel.moving.node = None
    panel.press(False)
    assert panel.said.text == "choose a fixed and a moving volume"


def test_a_volume_that_slicer_does_not_write_is_told(
    panel: Any, program: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["slicer"].util, "exportNode", lambda *_, **__: False)
    panel.program.text = program("#!/bin/sh\n")
    panel.press(False)
    assert panel.said.text.startswith("the fixed volume could not be written to ")


def test_only_a_result_of_its_own_is_taken_off_the_moving_volume(panel: Any, scene: Scene, program: Make) -> None:
    above = scene.add(Node("by hand"))
    panel.moving.node.SetAndObserveTransformNodeID(above.GetID())
    panel.program.text = program("#!/bin/sh\nexec sleep 60\n")
    panel.press(False)
    assert panel.said.text.startswith("MRHead: lies under the transform by hand; harden")
    above.SetAttribute("DISA.Confidence", "0.900")
    panel.press(False)
    assert panel.logic.is_running and panel.moving.node.above is None


def test_the_program_is_remembered(panel: Any, program: Make) -> None:
    panel.program.text = chosen = program("#!/bin/sh\nexit 1\n")
    panel.press(False)
    wait_for(panel)
    panel.setup()
    assert panel.program.text == chosen


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_an_older_slicers_python_reads_it(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 9))
