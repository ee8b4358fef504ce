# SPDX-License-Identifier: Apache-2.0
"""The page of every setting, out of the signatures and docstrings that the code has."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

import disa
from disa.deform.constraints import Constraints
from disa.deform.options import DeformOptions
from disa.doors.settings import METRIC_SETTINGS
from disa.pose.options import PoseOptions, SearchOptions
from helpers.paths import DOCS

PAGE = DOCS / "settings.md"

HEAD = """# Settings

Look here when you know which call you use, and want all that can be set.
[How to](howto/python.md) says what to do first.

| you use | its settings |
|---|---|
| `disa.register`, `disa.global_register` | [a pose](#a-pose) |
| `disa.deformable_register` | [a deformation](#a-deformation) |
| ITK's metric, SimpleITK's class | [the metric](#the-metric) |
| the command `disa` | `disa --help`, `disa register --help` and so on |

Give them by name: `disa.register(fixed, moving, spacing=1.0)`. A wrong name is a `TypeError` that lists the right ones.
"""

POSE = """## A pose

Of `disa.register` and `disa.global_register`. `fixed` and `moving` come first, without a name.
"""

POSE_OPTIONS = """`options=PoseOptions(...)` takes these as one object. Each may be given by its name, too.
"""

SEARCH_OPTIONS = """`disa.global_register` takes four more. Its `options` are `SearchOptions(...)`.
"""

DEFORMATION = """## A deformation

Of `disa.deformable_register`. `fixed` and `moving` come first, without a name.
"""

DEFORM_OPTIONS = """`options=DeformOptions(...)` takes these as one object. Each may be given by its name, too.
"""

CONSTRAINTS = """`constraints=disa.Constraints(...)` takes these as one object.
"""

METRIC = """## The metric

The first column is the setter of ITK's metric.
The second one is the name in `method.SetMetricAsDISA(...)` of SimpleITK's class.
"""

GIVEN_FIRST = ("fixed", "moving", "settings")


def page() -> str:
    """The page's text."""
    parts = (
        HEAD,
        POSE,
        arguments_table(disa.global_register),
        POSE_OPTIONS,
        options_table(PoseOptions),
        SEARCH_OPTIONS,
        options_table(SearchOptions, beyond=PoseOptions),
        DEFORMATION,
        arguments_table(disa.deformable_register),
        DEFORM_OPTIONS,
        options_table(DeformOptions),
        CONSTRAINTS,
        options_table(Constraints),
        METRIC,
        metric_table(),
    )
    return "\n".join(parts)


def arguments_table(function: Callable[..., Any]) -> str:
    """A row for each argument that is given by name and is no field of the options."""
    meanings = entries_of(function, "Args")
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in GIVEN_FIRST
    }
    return _table(defaults, meanings)


def options_table(options: type[Any], beyond: type[Any] | None = None) -> str:
    """A row for each field of a class of options, without those that another one has."""
    known = {field.name for field in fields(beyond)} if beyond else set()
    meanings = entries_of(options, "Attributes")
    return _table({f.name: f.default for f in fields(options) if f.name not in known}, meanings)


def metric_table() -> str:
    """A row for each setting of the metric."""
    rows = ["| `metric` of ITK | `SetMetricAsDISA` | default | what it is |", "|---|---|---|---|"]
    for setting in METRIC_SETTINGS:
        setter = f"`Set{setting.itk}`" if setting.itk else ""
        rows.append(f"| {setter} | `{setting.argument}` | {setting.default} | {setting.meaning} |")
    return "\n".join(rows) + "\n"


def entries_of(described: Any, section: str) -> dict[str, str]:
    """What a docstring says of each name in a section of it, each as one line."""
    text = inspect.getdoc(described) or ""
    body = re.search(rf"^{section}:\n((?:    .*\n|\n)*)", text + "\n", re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.*(?:\n     +.*)*)", body.group(1) if body else "", re.MULTILINE)
    return {name: " ".join(meaning.split()) for name, meaning in entries}


def _table(defaults: Mapping[str, Any], meanings: Mapping[str, str]) -> str:
    rows = ["| name | default | what it is |", "|---|---|---|"]
    rows += [f"| `{name}` | {_shown(default)} | {meanings[name]} |" for name, default in defaults.items()]
    return "\n".join(rows) + "\n"


def _shown(default: Any) -> str:
    """A default as a reader is told; that of a schedule by its name."""
    if default is MISSING or default is inspect.Parameter.empty:
        return ""
    shipped = {"Schedule": "SCHEDULE", "DeformSchedule": "DEFORM_SCHEDULE"}
    name = shipped.get(type(default).__name__)
    return f"`{name}`" if name else f"`{default!r}`".replace("'", '"')
