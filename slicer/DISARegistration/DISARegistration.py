# SPDX-License-Identifier: Apache-2.0
"""A module of 3D Slicer: two volumes, a button, and the transform with its confidence in the scene."""

from __future__ import annotations

import json
import shutil
from typing import Any

import ctk
import qt
import slicer
from DISARegistrationLib.job import Job, JobError, summary_of
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)

PROGRAM_SETTING = "DISARegistration/Program"
CONFIDENCE = "DISA.Confidence"
"""Attribute of a transform that this module has made."""
POLL_MS = 200


class DISARegistration(ScriptedLoadableModule):
    """What Slicer lists."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = "DISA Registration"
        parent.categories = ["Registration"]
        parent.contributors = ["itk-disa maintainers"]
        parent.helpText = (
            "Brings a moving volume onto a fixed one that looks different, such as MR onto CT. No rough alignment is "
            "needed. The first time, give the path of the command disa."
        )
        parent.acknowledgementText = "The method is DISA (Ronchetti et al., MICCAI 2023)."


class DISARegistrationWidget(ScriptedLoadableModuleWidget):
    """The panel: two volumes, the program, a button, and what came out."""

    def setup(self) -> None:
        """Build the panel."""
        super().setup()
        self.logic = DISARegistrationLogic()
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MS)
        self.timer.connect("timeout()", self.look)

        box = ctk.ctkCollapsibleButton()
        box.text = "Registration"
        self.layout.addWidget(box)
        form = qt.QFormLayout(box)
        self.fixed = _volume_selector("The volume that stays where it is")
        self.moving = _volume_selector("The volume that is brought onto the fixed one")
        self.program = qt.QLineEdit(qt.QSettings().value(PROGRAM_SETTING, shutil.which("disa") or "disa"))
        self.program.toolTip = "Path of the command disa, in the environment where itk-disa is installed"
        self.button = qt.QPushButton("Register")
        self.said = qt.QLabel("")
        self.said.wordWrap = True
        form.addRow("Fixed volume:", self.fixed)
        form.addRow("Moving volume:", self.moving)
        form.addRow("Command disa:", self.program)
        form.addRow(self.button)
        form.addRow(self.said)
        self.layout.addStretch(1)
        self.button.connect("clicked(bool)", self.press)

    def cleanup(self) -> None:
        """Leave nothing running."""
        self.timer.stop()
        self.logic.stop()

    def press(self, *_: Any) -> None:
        """Begin, or stop what runs."""
        if self.logic.is_running:
            self.logic.stop()
            self._end("stopped")
            return
        qt.QSettings().setValue(PROGRAM_SETTING, self.program.text)
        try:
            self.logic.start(self.fixed.currentNode(), self.moving.currentNode(), self.program.text)
        except RuntimeError as problem:  # Slicer's own, too, where a volume cannot be written
            self._end(str(problem))
            return
        self.button.text = "Stop"
        self.said.text = "running; some seconds to a minute"
        self.timer.start()

    def look(self) -> None:
        """Whether it has ended, and what came out."""
        if self.logic.is_running:
            return
        try:
            self._end(self.logic.finish())
        except RuntimeError as problem:
            self._end(str(problem))

    def _end(self, said: str) -> None:
        self.timer.stop()
        self.button.text = "Register"
        self.said.text = said


class DISARegistrationLogic(ScriptedLoadableModuleLogic):
    """From the scene to the command and back."""

    def __init__(self) -> None:
        super().__init__()
        self._job: Job | None = None
        self._moving: Any = None

    @property
    def is_running(self) -> bool:
        """Whether a registration runs."""
        return self._job is not None and self._job.is_running

    def start(self, fixed: Any, moving: Any, program: str) -> None:
        """Write both volumes, as they lie in the scene, and start the command.

        Args:
            fixed: volume node that stays.
            moving: volume node that is brought onto it.
            program: path or name of the command `disa`.

        Raises:
            JobError: a volume is missing or cannot be taken, or the command cannot be started.
        """
        if fixed is None or moving is None:
            raise JobError("choose a fixed and a moving volume")
        if fixed.GetID() == moving.GetID():
            raise JobError("choose two volumes: fixed and moving are the same one")
        _take_off_earlier_result(moving)
        self.stop()
        self._job, self._moving = Job(), moving
        try:
            slicer.util.exportNode(fixed, str(self._job.fixed), world=True)
            slicer.util.exportNode(moving, str(self._job.moving), world=True)
            self._job.start(program, slicer.util.startupEnvironment())
        except RuntimeError:
            self.stop()
            raise

    def finish(self) -> str:
        """Put the result into the scene, once the command has ended.

        Adds a transform above the moving volume, whose attribute `DISA.Confidence` has the confidence, and a text with
        all that is known.

        Returns:
            What to tell the user.

        Raises:
            JobError: the registration failed.
        """
        if self._job is None:
            raise JobError("no registration was started")
        try:
            found = self._job.result()
            transform = slicer.util.loadTransform(str(self._job.transform))
        finally:
            self.stop()
        name = self._moving.GetName()
        transform.SetName(slicer.mrmlScene.GenerateUniqueName(f"DISA {name}"))
        sure = found["confidence"]
        transform.SetAttribute(CONFIDENCE, "unknown" if sure is None else f"{sure:.3f}")
        self._moving.SetAndObserveTransformNodeID(transform.GetID())
        text = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", f"{transform.GetName()} result")
        text.SetText(json.dumps(found, indent=2))
        return summary_of(found)

    def stop(self) -> None:
        """End what runs, and delete its files."""
        if self._job is not None:
            self._job.remove()
            self._job = None


def _take_off_earlier_result(moving: Any) -> None:
    """Take a result of this module off the volume; raise JobError where another transform lies above it."""
    above = moving.GetParentTransformNode()
    if above is None:
        return
    if above.GetAttribute(CONFIDENCE) is None:
        raise JobError(
            f"{moving.GetName()}: lies under the transform {above.GetName()}; harden that transform, or take it off"
        )
    moving.SetAndObserveTransformNodeID(None)


def _volume_selector(tip: str) -> Any:
    """A list of the scene's volumes."""
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.addEnabled = selector.removeEnabled = selector.renameEnabled = False
    selector.setMRMLScene(slicer.mrmlScene)
    selector.toolTip = tip
    return selector
