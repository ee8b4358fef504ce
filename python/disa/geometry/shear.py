# SPDX-License-Identifier: Apache-2.0
"""Grids whose axes are not at right angles, as a tilted gantry leaves them, and the way to one whose axes are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of

FloatArray = npt.NDArray[np.float64]

TOLERANCE = 0.1
"""Voxels by which a voxel may lie elsewhere than where an image has it."""

MOST_GROWTH = 8.0
"""Times as many voxels as before that a resampled image may have; a shear that asks for more is no scanner's."""


def is_sheared(steps: FloatArray, size: Sequence[int]) -> bool:
    """Whether a voxel of a sheared grid lies further than a tenth of a voxel from the nearest grid at right angles.

    Args:
        steps: from one voxel to the next along each axis, as columns of shape (3, 3), mm.
        size: voxels along each axis.
    """
    lengths = np.linalg.norm(steps, axis=0)
    if not (np.isfinite(steps).all() and (lengths > 0).all()):
        return True
    left, _, right = np.linalg.svd(steps / lengths)
    off = (steps - left @ right * lengths) * (np.asarray(size) - 1) / 2
    worst = max(float(np.linalg.norm(off @ signs)) for signs in itertools.product((-1.0, 1.0), repeat=3))
    return worst > TOLERANCE * float(lengths.min())


def shear_angle(steps: FloatArray) -> float:
    """Degrees by which the axes of a grid are furthest from right angles."""
    units = steps / np.linalg.norm(steps, axis=0)
    cosines = np.abs((units.T @ units)[np.triu_indices(3, 1)])
    return float(np.degrees(np.arcsin(cosines.clip(max=1.0)).max()))


def upright_grid(origin: FloatArray, steps: FloatArray, size: Sequence[int]) -> Grid | None:
    """The smallest grid at right angles that covers a sheared one; None where it would be absurdly large, or flat.

    Its first axis and first plane are those of the sheared grid and its planes lie where those lie, so a stack of
    slices is interpolated within each slice alone.

    Args:
        origin: centre of the first voxel, shape (3,), mm.
        steps: from one voxel to the next along each axis, as columns of shape (3, 3), mm.
        size: voxels along each axis.
    """
    axes, upper = np.linalg.qr(steps)
    signs = np.sign(np.diag(upper))
    axes, spacing = axes * signs, np.abs(np.diag(upper))
    if not np.isfinite(upper).all() or (spacing < 1e-3 * np.linalg.norm(steps, axis=0)).any():
        return None
    corners = np.array(list(itertools.product(*[(0, n - 1) for n in size]))) @ (signs[:, None] * upper).T / spacing
    low, high = np.floor(corners.min(axis=0) + 1e-6), np.ceil(corners.max(axis=0) - 1e-6)
    x, y, z = high - low + 1
    if x * y * z > MOST_GROWTH * np.prod(np.asarray(size, dtype=float)):
        return None
    return Grid((int(x), int(y), int(z)), origin + axes @ (low * spacing), spacing, axes)


def upright_image(image: sitk.Image, origin: FloatArray, steps: FloatArray, grid: Grid, labels: bool) -> sitk.Image:
    """An image on a sheared grid, resampled onto one at right angles, of its own pixel type.

    Args:
        image: the voxels; where it has them itself does not count.
        origin: centre of the first voxel, shape (3,), mm.
        steps: from one voxel to the next along each axis, as columns of shape (3, 3), mm.
        grid: of the result.
        labels: nearest neighbour and 0 beyond; otherwise linear, and the least intensity beyond.
    """
    plain = sitk.Image(image)
    plain.SetOrigin((0.0, 0.0, 0.0))
    plain.SetSpacing((1.0, 1.0, 1.0))
    plain.SetDirection(np.eye(3).ravel().tolist())
    to_index = np.linalg.inv(steps)
    mapping = sitk.AffineTransform(to_index.ravel().tolist(), (-to_index @ origin).tolist())
    if labels:
        upright: sitk.Image = sitk.Resample(plain, *_asked(grid, mapping, sitk.sitkNearestNeighbor), 0.0)
        return upright
    is_scalar = plain.GetNumberOfComponentsPerPixel() == 1
    kind = plain.GetPixelID()
    is_whole = is_scalar and kind not in (sitk.sitkFloat32, sitk.sitkFloat64)
    least = float(pixels_of(plain).min()) if is_scalar else 0.0
    shown = sitk.Cast(plain, sitk.sitkFloat64) if is_whole else plain
    upright = sitk.Resample(shown, *_asked(grid, mapping, sitk.sitkLinear), least)
    return sitk.Cast(sitk.Round(upright), kind) if is_whole else upright


def _asked(grid: Grid, mapping: sitk.Transform, interpolator: int) -> tuple[object, ...]:
    return (
        grid.size,
        mapping,
        interpolator,
        grid.origin.tolist(),
        grid.spacing.tolist(),
        grid.direction.ravel().tolist(),
    )
