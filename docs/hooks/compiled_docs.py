"""A griffe extension: docstrings that only the running program has.

These are the docstrings of the compiled classes, whose signatures are in the stub file `_core.pyi`, and those that the
decorators of `disa.doors.settings` write.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import griffe

from disa import core

STUBS = "disa._core."
DECORATORS = {"disa.doors.settings.shows", "disa.doors.settings.lists_settings"}


class CompiledDocs(griffe.Extension):
    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Take what a compiled object says of itself; pybind11 puts the signature into its first line."""
        if not obj.path.startswith(STUBS) or obj.docstring:
            return
        lines = inspect.getdoc(_found(core._core, obj.path.removeprefix(STUBS)))
        if lines:
            signed = lines.startswith(f"{obj.name}(")
            obj.docstring = griffe.Docstring(lines.partition("\n")[2].strip() if signed else lines, parent=obj)

    def on_function(self, *, func: griffe.Function, **kwargs: Any) -> None:
        """Take what a decorator has written into a method of a door."""
        if not any(decorator.callable_path in DECORATORS for decorator in func.decorators):
            return
        module = importlib.import_module(func.module.path)
        lines = inspect.getdoc(_found(module, func.path.removeprefix(f"{func.module.path}.")))
        if lines:
            func.docstring = griffe.Docstring(lines, parent=func)


def _found(holder: Any, path: str) -> Any:
    """The object of that dotted path, or None."""
    for name in path.split("."):
        holder = getattr(holder, name, None)
    return holder
