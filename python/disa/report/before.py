# SPDX-License-Identifier: Apache-2.0
"""What "before" is in a report, in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.geometry.applying import transformed
from disa.geometry.grid import Grid
from disa.report.display import Pair


def said_of_before(pair: Pair, initial: Path | None) -> str:
    """A sentence or two.

    Args:
        pair: the images under both transforms.
        initial: file of the initial transform; None: there was none.
    """
    fixed, moving = Grid.of(pair.fixed), Grid.of(pair.moving)
    apart = float(np.linalg.norm(_centre(transformed(fixed.corners, pair.before)) - _centre(moving.corners)))
    what = (
        "the pose of the files' headers, as 3D Slicer, ANTs and SimpleITK show it"
        if initial is None
        else f"the initial transform, {initial.name}"
    )
    said = f"Before is {what}: the images' centres lie {apart:.0f} mm apart there."
    everywhere = sitk.Image(pair.moving.GetSize(), sitk.sitkUInt8) + 1
    if not fixed.every(4).nearest(moving.place(everywhere), pair.before).any():
        said += " They do not overlap there, so before is black."
    return said


def _centre(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    centre: npt.NDArray[np.float64] = points.mean(axis=0)
    return centre
