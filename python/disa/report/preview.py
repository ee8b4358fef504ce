# SPDX-License-Identifier: Apache-2.0
"""A small picture of a registration: the moved image in three planes, under the fixed image's edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.report.display import Display
from disa.report.intensities import Coding
from disa.report.pictures import jpeg

ByteArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

SIDE = 200
"""Pixels of the square that each plane has."""
EDGE_SHARE = 0.05
"""Share of a slice's pixels that are drawn as edges."""
EDGE_COLOUR = (255, 140, 0)
QUALITY = 75
"""Of the JPEG."""


def preview(display: Display) -> bytes:
    """Axial, coronal and sagittal slice through the middle as a JPEG; the patient's right is at the left."""
    grid = display.grid
    planes = []
    for axis in (2, 1, 0):
        row, column = ((1, 0), (2, 0), (2, 1))[2 - axis]
        extent = (grid.size[row] * grid.spacing[row], grid.size[column] * grid.spacing[column])
        fixed, moved = (
            _square(_middle(display.volumes[name], axis, display.codings[of]), extent)
            for name, of in (("fixed", "fixed"), ("after", "moving"))
        )
        picture = np.repeat(moved[..., None], 3, axis=2)
        picture[_edges(fixed)] = EDGE_COLOUR
        planes.append(picture)
    return jpeg(np.concatenate(planes, axis=1), QUALITY)


def _middle(volume: ByteArray, axis: int, coding: Coding) -> ByteArray:
    """The middle slice across an axis (x, y, z: 0, 1, 2) as a person looks at it, through the first window."""
    levels, intensities = zip(*coding.knots, strict=True)
    window = coding.windows[0]
    values = np.interp(np.arange(256), levels, intensities)
    greys = np.clip(255 * (values - window.low) / (window.high - window.low), 0, 255).astype(np.uint8)
    picture: ByteArray = greys[volume.take(volume.shape[2 - axis] // 2, axis=2 - axis)]
    return picture if axis == 2 else picture[::-1]


def _square(picture: ByteArray, extent: tuple[float, float]) -> ByteArray:
    """A picture of so many mm, rows first, in the middle of a square."""
    image = sitk.GetImageFromArray(picture)
    image.SetSpacing([extent[1] / picture.shape[1], extent[0] / picture.shape[0]])
    step = max(extent) / SIDE
    middle = [(n - 1) / 2 * spacing for n, spacing in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    corner = [centre - step * (SIDE - 1) / 2 for centre in middle]
    drawn = sitk.Resample(
        image, [SIDE, SIDE], sitk.Transform(2, sitk.sitkIdentity), sitk.sitkLinear, corner, [step, step]
    )
    square: ByteArray = sitk.GetArrayFromImage(drawn)
    return square


def _edges(picture: ByteArray) -> npt.NDArray[np.bool_]:
    """Where a picture is steepest."""
    smooth = sitk.GradientMagnitudeRecursiveGaussian(sitk.GetImageFromArray(picture.astype(np.float32)), 1.0)
    steepness: FloatArray = sitk.GetArrayFromImage(smooth)
    steep: npt.NDArray[np.bool_] = steepness > max(float(np.quantile(steepness, 1 - EDGE_SHARE)), 1e-3)
    return steep
