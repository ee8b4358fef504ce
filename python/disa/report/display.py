# SPDX-License-Identifier: Apache-2.0
"""A pair of images on one grid along the patient's axes, as small as a page can carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.geometry.grid import Grid
from disa.report.intensities import Coding, coding_of

ByteArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]

ALONG_AXIS = np.cos(np.deg2rad(1.0))
"""An axis that lies nearer to one of the patient's than this has its direction."""


@dataclass(frozen=True)
class Pair:
    """What a report shows.

    Attributes:
        fixed, moving: 3-D images of one number a voxel, float32.
        before, after: where the registration began and ended, from fixed to moving points, mm.
        field: the deformation alone, in the fixed image's space; None: there is none.
        disagreement: mm by which its two directions miss each other, an image in that space; None: it is not known.
    """

    fixed: sitk.Image
    moving: sitk.Image
    before: sitk.Transform
    after: sitk.Transform
    field: sitk.DisplacementFieldTransform | None = None
    disagreement: sitk.Image | None = None


@dataclass(frozen=True)
class Display:
    """A pair on one grid.

    Attributes:
        grid: axes are the patient's, LPS: x to the left, y to the back, z to the head.
        volumes: by name (fixed, before, after), coded intensities, shape (z, y, x).
        codings: of the fixed and the moving image.
    """

    grid: Grid
    volumes: dict[str, ByteArray]
    codings: dict[str, Coding]


def displayed(pair: Pair, voxels: float) -> Display:
    """The pair on a grid of so many voxels at most; what lies beyond an image is the least intensity that is shown."""
    grid = patient_grid(Grid.of(pair.fixed), voxels)
    codings = {"fixed": coding_of(pair.fixed), "moving": coding_of(pair.moving)}
    step = float(grid.spacing.min())
    fixed, moving = _coarser(pair.fixed, step), _coarser(pair.moving, step)
    shown = {
        "fixed": (fixed, None, codings["fixed"]),
        "before": (moving, pair.before, codings["moving"]),
        "after": (moving, pair.after, codings["moving"]),
    }
    volumes = {
        name: coding.bytes_of(sitk.GetArrayFromImage(grid.linear(image, transform, beyond=coding.least)))
        for name, (image, transform, coding) in shown.items()
    }
    return Display(grid, volumes, codings)


def patient_grid(grid: Grid, voxels: float) -> Grid:
    """The grid over an image's box along the patient's axes, of so many voxels at most.

    An image along these axes keeps its voxels, but for those that are too small: they grow until there are few enough.
    """
    corners = grid.corners
    low, extent = corners.min(axis=0), np.ptp(corners, axis=0)
    own = 1 / np.sqrt(((grid.direction / grid.spacing) ** 2).sum(axis=1))
    size = _size(extent, own)
    if size.prod() > voxels:
        smallest, largest = 0.0, float(extent.max())
        for _ in range(40):
            step = (smallest + largest) / 2
            size = _size(extent, np.maximum(own, step))
            smallest, largest = (step, largest) if size.prod() > voxels else (smallest, step)
        size = _size(extent, np.maximum(own, largest))
    spacing = extent / size
    x, y, z = (int(n) for n in size)
    return Grid((x, y, z), low + spacing / 2, spacing, np.eye(3))


def _size(extent: FloatArray, spacing: FloatArray) -> FloatArray:
    return np.maximum(np.round(extent / spacing), 1)


def turn_from_patient(grid: Grid) -> float:
    """Degrees between the image's axes and the patient's, the largest of three; 0 where it is below a degree."""
    nearest = float(np.abs(grid.direction).max(axis=0).min())
    return 0.0 if nearest >= ALONG_AXIS else float(np.degrees(np.arccos(nearest)))


def _coarser(image: sitk.Image, step: float) -> sitk.Image:
    """Means of as many voxels as go into a step, mm, along each axis."""
    grid = Grid.of(image)
    factors = np.clip(np.floor(step / grid.spacing), 1, grid.size).astype(int).tolist()
    if max(factors) == 1:
        return image
    missing = [-n % factor for n, factor in zip(grid.size, factors, strict=True)]
    whole = sitk.ZeroFluxNeumannPad(image, [0, 0, 0], missing)
    coarse: sitk.Image = sitk.BinShrink(whole, factors)
    return coarse
