# SPDX-License-Identifier: Apache-2.0
"""Kinds of settings, and what is said of a value that is none of its kind."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo


def _number(value: object) -> object:
    """YAML's text "2e-2" as the number that it is to everybody else."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


Number = Annotated[float, BeforeValidator(_number)]
NotNegative = Annotated[Number, Field(ge=0)]
Positive = Annotated[Number, Field(gt=0)]
Zoom = Annotated[Number, Field(ge=1)]
Share = Annotated[Number, Field(ge=0, le=1, description="a share between 0 and 1")]
Count = Annotated[int, Field(gt=0)]
PoseCount = Annotated[int, Field(ge=2)]
Seed = Annotated[int, Field(ge=0)]
Widths = Annotated[list[NotNegative], Field(min_length=1, description="a list of widths, 0 or more each")]
Paths = Annotated[str | list[str], Field(description="a text or a list of paths")]

#: What was expected, by pydantic's name of the error, where the kind has no description.
_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "literal_error": "{expected}",
}


def complaint(error: ValidationError, settings: Mapping[str, FieldInfo]) -> str:
    """One line on the first thing that pydantic found wrong.

    Args:
        error: of a model of these settings.
        settings: by name, all that there are.

    Returns:
        The setting, its value and what was expected; or what a validator of the model raised.
    """
    wrong = error.errors(include_url=False)[0]
    context = wrong.get("ctx", {})
    if wrong["type"] == "value_error":
        return str(context["error"])
    name = str(wrong["loc"][0])
    if wrong["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, settings, 1)
        hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(settings)}"
        return f"unknown key {name}; {hint}"
    expected = settings[name].description or _EXPECTED[wrong["type"]].format(**context)
    return f"{name} is {wrong['input']!r}, expected {expected}"
