# SPDX-License-Identifier: Apache-2.0
"""Compilation of what runs on a GPU."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import torch
from torch import Tensor

Rest = ParamSpec("Rest")
Result = TypeVar("Result")


def fast(function: Callable[Concatenate[Tensor, Rest], Result]) -> Callable[Concatenate[Tensor, Rest], Result]:
    """`function`, through torch.compile where its first argument is on a GPU."""
    compiled = torch.compile(function, dynamic=False)

    @functools.wraps(function)
    def choose(first: Tensor, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Result:
        return (compiled if first.is_cuda else function)(first, *args, **kwargs)

    return choose
