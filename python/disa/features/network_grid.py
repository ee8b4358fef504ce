# SPDX-License-Identifier: Apache-2.0
"""The voxel grids that the network sees: isotropic, a little larger than what they are to cover."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from disa.errors import ImageError
from disa.geometry.grid import Grid

FloatArray = npt.NDArray[np.float64]

STRIDE = 4
"""Grids have a multiple of this many voxels plus one, so that descriptors of every stride end on both borders."""

MAXIMUM_VOXELS = 2**30
"""More voxels for the network, 4 GB a copy, are refused before any memory is taken."""

TOLERANCE = 1e-6
"""Voxels, for rounding."""

MARGIN = 8
"""Voxels added on every side, for the network to see the border continued instead of cut; taken off its output.

More than 8 gains nothing (models/MODEL_CARD.md)."""


def covering_grid(image: Grid, voxel: float, direction: npt.ArrayLike | None = None, name: str = "image") -> Grid:
    """The smallest grid about an image's centre that covers it and the margin.

    Args:
        image: grid of the image to cover.
        voxel: mm between voxels.
        direction: (3, 3) orthonormal axes of the grid, as columns; the image's own if None.
        name: what a message calls the image.

    Raises:
        ImageError: the grid would have more than 2^30 voxels.
    """
    own = image.direction
    axes = own if direction is None else np.asarray(direction, dtype=float).reshape(3, 3)
    extent = np.asarray(image.size) * image.spacing
    covered = np.abs(axes.T @ own) @ extent
    is_slab = covered / voxel < STRIDE + TOLERANCE  # between the two borders; so descriptors lie in its middle, too
    steps = STRIDE * np.ceil((covered / voxel - 1 - TOLERANCE) / STRIDE).clip(min=np.where(is_slab, 2, 1)) + 2 * MARGIN
    _check_size(steps, extent, voxel, name)
    centre = image.points([(np.asarray(image.size) - 1) / 2])[0]
    return Grid.isotropic(steps + 1, centre - axes @ (steps / 2 * voxel), voxel, axes)


def box_grid(points: FloatArray, voxel: float, direction: FloatArray) -> Grid:
    """The smallest grid that covers points and the margin.

    Args:
        points: shape (n, 3), mm.
        voxel: mm between voxels.
        direction: (3, 3) orthonormal axes of the grid, as columns.

    Raises:
        ImageError: the grid would have more than 2^30 voxels.
    """
    along = points @ direction
    low, high = along.min(axis=0), along.max(axis=0)
    steps = STRIDE * np.ceil(((high - low) / voxel - TOLERANCE) / STRIDE).clip(min=1) + 2 * MARGIN
    _check_size(steps, high - low, voxel, "image")
    return Grid.isotropic(steps + 1, direction @ ((low + high) / 2 - steps / 2 * voxel), voxel, direction)


def clipped_box(points: FloatArray, limits: FloatArray, axes: FloatArray) -> FloatArray:
    """Two corners of the points' box along some axes, cut to that of the limits; its nearest face where they part."""
    along, bounds = points @ axes, limits @ axes
    low, high = bounds.min(axis=0), bounds.max(axis=0)
    box: FloatArray = np.stack([along.min(axis=0).clip(low, high), along.max(axis=0).clip(low, high)]) @ axes.T
    return box


def cells_of(grid: Grid, stride: int) -> Grid:
    """Where the descriptors of a network grid lie: every stride-th voxel, the margin left out."""
    return grid.padded(-MARGIN).every(stride)


def rescaled(grid: Grid, ratio: float) -> Grid:
    """A network grid over the same box, its margin aside, in voxels that are so many times as large."""
    inner = grid.padded(-MARGIN)
    ends = np.stack([np.zeros(3), np.asarray(inner.size) - 1])
    return box_grid(inner.points(ends), ratio * grid.step, grid.direction)


def check_describable(image: Grid, voxel: float, name: str) -> None:
    """Raises ImageError where an image is a speck: smaller than 4 voxels of the network along every axis."""
    extent = np.asarray(image.size) * image.spacing
    if (extent / voxel < STRIDE - TOLERANCE).all():
        raise ImageError(
            f"{name}: lies between its descriptors: {' x '.join(f'{mm:.3g}' for mm in extent)} mm are less than "
            f"{STRIDE} voxels of {voxel:g} mm along every axis; correct the header if it is not in mm, or use a "
            "smaller spacing"
        )


def _check_size(steps: FloatArray, extent: FloatArray, voxel: float, name: str) -> None:
    if np.prod(steps + 1) > MAXIMUM_VOXELS:
        raise ImageError(
            f"{name}: {extent.round().tolist()} mm at a spacing of {voxel:g} mm are more than 2^30 voxels; "
            "use a larger spacing or crop the image"
        )
