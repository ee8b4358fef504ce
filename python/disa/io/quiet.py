# SPDX-License-Identifier: Apache-2.0
"""What ITK says by itself, and what SimpleITK raises."""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk

ITK_ERRORS = (RuntimeError, UnicodeDecodeError)
"""What SimpleITK raises; the second where its message quotes a damaged file."""


@contextmanager
def no_warnings() -> Iterator[None]:
    """Neither ITK nor a library below it says anything on the standard error stream."""
    warned = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        with silent():
            yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(warned)


@contextmanager
def silent() -> Iterator[None]:
    """Nothing comes out of the process' standard error stream, to which libraries in C write about damaged files."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def same_locale() -> Iterator[None]:
    """The process' locale after the block is that before it; ITK's reader of .vtk sets another for good."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        if locale.setlocale(locale.LC_ALL) != before:
            locale.setlocale(locale.LC_ALL, before)
