# SPDX-License-Identifier: Apache-2.0
"""What stands in for 3D Slicer's modules: as much of their names as the module DISARegistration uses."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import SimpleITK as sitk

from helpers.paths import ROOT

FOLDER = ROOT / "slicer" / "DISARegistration"


class Node:
    """A node of the scene: of an image, a transform or a text."""

    def __init__(self, name: str, content: Any = None) -> None:
        self.name, self.content, self.text = name, content, ""
        self.attributes: dict[str, str] = {}
        self.above: Node | None = None
        self.scene: Scene | None = None

    def GetName(self) -> str:
        return self.name

    def SetName(self, name: str) -> None:
        self.name = name

    def GetID(self) -> str:
        return f"node{id(self)}"

    def GetAttribute(self, key: str) -> str | None:
        return self.attributes.get(key)

    def SetAttribute(self, key: str, value: str) -> None:
        self.attributes[key] = value

    def GetParentTransformNode(self) -> Node | None:
        return self.above

    def SetAndObserveTransformNodeID(self, identity: str | None) -> None:
        assert self.scene is not None
        self.above = next((node for node in self.scene.nodes if node.GetID() == identity), None)

    def SetText(self, text: str) -> None:
        self.text = text


class Scene:
    """The scene."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add(self, node: Node) -> Node:
        node.scene = self
        self.nodes.append(node)
        return node

    def AddNewNodeByClass(self, kind: str, name: str) -> Node:
        assert kind == "vtkMRMLTextNode"
        return self.add(Node(name))

    def GenerateUniqueName(self, name: str) -> str:
        return name if all(node.name != name for node in self.nodes) else f"{name}_1"


class Widget:
    """Any widget; properties are attributes, as PythonQt has them."""

    def __init__(self, text: Any = "") -> None:
        self.text = text
        self.slots: dict[str, Callable[..., None]] = {}
        self.node: Node | None = None

    def connect(self, signal: str, slot: Callable[..., None]) -> None:
        self.slots[signal] = slot

    def currentNode(self) -> Node | None:
        return self.node

    def setMRMLScene(self, scene: Scene) -> None:
        self.scene = scene

    def addRow(self, *_: Any) -> None:
        """A form shows nothing here."""

    addWidget = addStretch = setInterval = addRow


class Timer(Widget):
    """A timer that ticks when it is asked to."""

    is_on = False

    def start(self) -> None:
        self.is_on = True

    def stop(self) -> None:
        self.is_on = False


class Settings:
    """Settings that last as long as the process."""

    kept: dict[str, str] = {}  # noqa: RUF012

    def value(self, key: str, default: str) -> str:
        return self.kept.get(key, default)

    def setValue(self, key: str, value: str) -> None:
        self.kept[key] = value


class Loadable:
    """The three base classes of a scripted module."""

    def __init__(self, parent: Any = None) -> None:
        self.parent, self.layout = parent, Widget()

    def setup(self) -> None:
        """Nothing to build."""


@contextmanager
def slicer_with(scene: Scene) -> Iterator[None]:
    """The modules `slicer`, `qt` and `ctk`, and the folder of DISARegistration in Python's path."""

    def export_node(node: Node, filename: str, world: bool) -> None:
        assert world
        sitk.WriteImage(node.content, filename)

    def load_transform(path: str) -> Node:
        assert Path(path).is_file()
        return scene.add(Node("transform", sitk.ReadTransform(path)))

    util = SimpleNamespace(exportNode=export_node, loadTransform=load_transform, startupEnvironment=lambda: os.environ)
    bases = ("ScriptedLoadableModule", "ScriptedLoadableModuleLogic", "ScriptedLoadableModuleWidget")
    contents: dict[str, dict[str, Any]] = {
        "slicer": {"util": util, "mrmlScene": scene, "qMRMLNodeComboBox": Widget},
        "slicer.ScriptedLoadableModule": dict.fromkeys(bases, Loadable),
        "qt": {"QTimer": Timer, "QSettings": Settings}
        | dict.fromkeys(("QFormLayout", "QLineEdit", "QPushButton", "QLabel"), Widget),
        "ctk": {"ctkCollapsibleButton": Widget},
    }
    for name, content in contents.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(content)
    sys.path.insert(0, str(FOLDER))
    Settings.kept.clear()
    try:
        yield
    finally:
        sys.path.remove(str(FOLDER))
        own = ("DISARegistration", "DISARegistrationLib", "DISARegistrationLib.job")
        for name in (*contents, *own):
            sys.modules.pop(name, None)
