# SPDX-License-Identifier: Apache-2.0
"""Where a result comes from: the images as they are stored, when, by which command and by which versions."""

from __future__ import annotations

import datetime
import importlib.metadata
from typing import Any

import numpy as np
import SimpleITK as sitk

from disa.geometry.grid import Grid

PACKAGES = ("itk-disa", "SimpleITK", "numpy")

WORDS = (("right", "left"), ("front", "back"), ("foot", "head"))
"""Of the patient, at the low and the high end of x, y and z."""


def provenance(command: str, fixed: sitk.Image, moving: sitk.Image) -> dict[str, Any]:
    """What result.json holds of it.

    Args:
        command: as it was typed.
        fixed, moving: as they were read.
    """
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": command,
        "images": {"fixed": _stored(fixed), "moving": _stored(moving)},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _stored(image: sitk.Image) -> dict[str, Any]:
    """Size and place of an image: (x, y, z) order, mm."""
    return {
        "size": list(image.GetSize()),
        "spacing_mm": list(image.GetSpacing()),
        "origin_mm": list(image.GetOrigin()),
        "direction": list(image.GetDirection()),
    }


def axes_in_words(image: dict[str, Any]) -> str:
    """Where an image's voxel axes lead, as "left, back, head"."""
    grid = Grid.of_frame(image["size"], image["origin_mm"], image["spacing_mm"], image["direction"])
    nearest = np.abs(grid.direction).argmax(axis=0)
    return ", ".join(WORDS[axis][int(grid.direction[axis, i] > 0)] for i, axis in enumerate(nearest))
