# SPDX-License-Identifier: Apache-2.0
"""Options, checked before any work is done."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Mapping
from dataclasses import fields, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

from disa.errors import ImageError, RegistrationError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")

MAXIMUM_THREADS = 1024
STRIDES = (4, 2, 1)
ARGUMENTS = ("initial_transform", "fixed_mask", "moving_mask")
"""Of registrations, that are no options."""


def is_finite(value: object) -> bool:
    """Whether a value is a real number, neither NaN nor infinite."""
    return isinstance(value, Real) and math.isfinite(value)


def check_range(name: str, value: Any, largest: float, unit: str) -> None:
    """Raises RegistrationError unless an option is a number from 0 to the largest."""
    if not (is_finite(value) and 0 <= value <= largest):
        limit = f"0 to {largest:g}" if math.isfinite(largest) else "0 or more"
        raise RegistrationError(f"{name}: expected {limit} {unit}, got {value}")


def check_stride(stride: Any) -> None:
    """Raises RegistrationError unless there is a network of that stride."""
    if stride not in STRIDES:
        raise RegistrationError(f"stride: expected 4, 2 or 1, got {stride}")


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """Raises RegistrationError unless an option is a whole number in a range, both ends included."""
    try:
        number = operator.index(value)
    except TypeError:
        raise RegistrationError(f"{name}: expected a whole number, got {value!r}") from None
    if number < least:
        raise RegistrationError(f"{name}: expected {least} or more, got {value}")
    if number > most:
        raise RegistrationError(f"{name}: expected {most} or less, got {value}")


def check_spacing(spacing: Any, name: str = "spacing") -> None:
    """Raises ImageError unless a spacing is a number of mm above 0."""
    if not (is_finite(spacing) and spacing > 0):
        raise ImageError(f"{name}: expected mm above 0, got {spacing}")


def check_spacing_or_none(spacing: Any, name: str = "spacing") -> None:
    """The same, and None stands for no choice."""
    if spacing is not None:
        check_spacing(spacing, name)


def check_threads(threads: Any) -> None:
    """Raises RegistrationError unless it is a number of threads."""
    check_whole("threads", threads, 0, MAXIMUM_THREADS)


def changed(options: Options, changes: Mapping[str, Any], caller: str) -> Options:
    """Options with other values, checked anew.

    Args:
        options: a frozen dataclass.
        changes: by name.
        caller: what a message calls the function whose arguments these are.

    Raises:
        TypeError: there is no option of that name; one line with those that there are.
    """
    known = [field.name for field in fields(options)]
    for name in changes:
        if name not in known:
            close = difflib.get_close_matches(name, [*known, *ARGUMENTS], 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise TypeError(f"{caller}: no option {name!r}; the options are {', '.join(known)}{hint}")
    return replace(options, **changes)
