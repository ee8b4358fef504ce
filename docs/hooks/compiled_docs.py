# SPDX-License-Identifier: Apache-2.0
"""A griffe extension: docstrings of the compiled classes, whose signatures are in the stub file `_core.pyi`."""

from __future__ import annotations

import inspect
from typing import Any

import griffe

from disa import core

STUBS = "disa._core."


class CompiledDocs(griffe.Extension):
    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Take what a compiled object says of itself; pybind11 puts the signature into its first line."""
        if not obj.path.startswith(STUBS) or obj.docstring:
            return
        compiled: Any = core._core
        for name in obj.path.removeprefix(STUBS).split("."):
            compiled = getattr(compiled, name, None)
        lines = inspect.getdoc(compiled)
        if lines:
            signed = lines.startswith(f"{obj.name}(")
            obj.docstring = griffe.Docstring(lines.partition("\n")[2].strip() if signed else lines, parent=obj)
