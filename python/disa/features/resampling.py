"""Anti-aliased resampling of an image onto an isotropic grid with given axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import ImageError

FloatArray = npt.NDArray[np.floating]

STRIDE = 4
"""Grids have a multiple of this many voxels plus one, so that descriptors of every stride end on both borders."""

MAXIMUM_VOXELS = 2**30
"""More voxels for the network, 4 GB a copy, are refused before any memory is taken."""

TOLERANCE = 1e-6
"""Voxels, for rounding."""

MAXIMUM_VARIANCE = 100.0
"""Of a Gaussian at a time, squared voxels. Its kernel has 64 voxels at most, and one of several hundred overflows."""

MARGIN = 8
"""Voxels added on every side, for the network to see the border continued instead of cut; taken off its output.

More than 8 gains nothing (models/MODEL_CARD.md)."""


@dataclass(frozen=True)
class Grid:
    """An isotropic voxel grid: size, origin and axes in (x, y, z) order, mm."""

    size: tuple[int, int, int]
    origin: FloatArray
    spacing: float
    direction: FloatArray  # (3, 3), columns are axes


def covering_grid(image: sitk.Image, spacing: float, direction: FloatArray | None = None, name: str = "image") -> Grid:
    """The smallest grid about the image's centre that covers it and the margin.

    Args:
        image: the image to cover.
        spacing: mm between voxels.
        direction: (3, 3) orthonormal axes of the grid, as columns; the image's own if None.
        name: what a message calls the image.

    Raises:
        ImageError: the grid would have more than 2^30 voxels.
    """
    own = np.asarray(image.GetDirection()).reshape(3, 3)
    axes = own if direction is None else np.asarray(direction, dtype=float).reshape(3, 3)
    extent = np.asarray(image.GetSize()) * np.asarray(image.GetSpacing())
    covered = np.abs(axes.T @ own) @ extent
    steps = STRIDE * np.ceil((covered / spacing - 1 - 1e-6) / STRIDE).clip(min=1) + 2 * MARGIN
    _check_size(steps, extent, spacing, name)
    middle = (np.asarray(image.GetSize()) - 1) / 2
    centre = np.asarray(image.TransformContinuousIndexToPhysicalPoint(middle.tolist()))
    x, y, z = (int(s) + 1 for s in steps)
    return Grid((x, y, z), centre - axes @ (steps / 2 * spacing), spacing, axes)


def box_grid(points: FloatArray, spacing: float, direction: FloatArray) -> Grid:
    """The smallest grid that covers points and the margin.

    Args:
        points: shape (n, 3), mm.
        spacing: mm between voxels.
        direction: (3, 3) orthonormal axes of the grid, as columns.

    Raises:
        ImageError: the grid would have more than 2^30 voxels.
    """
    along = points @ direction
    low, high = along.min(axis=0), along.max(axis=0)
    steps = STRIDE * np.ceil(((high - low) / spacing - TOLERANCE) / STRIDE).clip(min=1) + 2 * MARGIN
    _check_size(steps, high - low, spacing, "image")
    x, y, z = (int(s) + 1 for s in steps)
    return Grid((x, y, z), direction @ ((low + high) / 2 - steps / 2 * spacing), spacing, direction)


def _check_size(steps: FloatArray, extent: FloatArray, spacing: float, name: str) -> None:
    if np.prod(steps + 1) > MAXIMUM_VOXELS:
        raise ImageError(
            f"{name}: {extent.round().tolist()} mm at a spacing of {spacing:g} mm are more than 2^30 voxels; "
            "use a larger spacing or crop the image"
        )


def smooth_for(image: sitk.Image, spacing: float) -> sitk.Image:
    """The image blurred so that sampling it every `spacing` mm does not alias; axes already as coarse stay as they are.

    Source: Cardoso et al., Scale factor point spread function matching, MICCAI 2015.
    """
    own = np.asarray(image.GetSpacing())
    variance = (spacing**2 - own**2).clip(min=0.0) / (8 * np.log(2))
    variance[variance < (0.2 * own) ** 2] = 0.0
    passes = math.ceil(float((variance / own**2).max()) / MAXIMUM_VARIANCE)
    for _ in range(passes):
        image = sitk.DiscreteGaussian(image, (variance / passes).tolist(), 64, 0.01, True)
    return image


def resample(image: sitk.Image, grid: Grid) -> sitk.Image:
    """The image on the grid, linear between voxels and continued by its nearest voxel outside."""
    return sitk.Resample(
        image,
        grid.size,
        sitk.Transform(),
        sitk.sitkLinear,
        grid.origin.tolist(),
        (grid.spacing,) * 3,
        grid.direction.ravel().tolist(),
        0.0,
        sitk.sitkFloat32,
        True,
    )
