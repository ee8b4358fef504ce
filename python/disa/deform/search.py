# SPDX-License-Identifier: Apache-2.0
"""The first stage: an explicit search over displacements of control points."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from disa.core import FeatureVolume, _core
from disa.deform.fields import to_transform
from disa.deform.workspace import DeformWorkspace, no_overlap
from disa.errors import RegistrationError
from disa.features.network_grid import MARGIN, cells_of, rescaled
from disa.features.volumes import at_cells_of, blended_at
from disa.geometry.grid import Grid
from disa.geometry.linear import matrix_and_offset

FloatArray = npt.NDArray[np.float64]

MAXIMUM_POSITIONS = 2**26
"""Of the moving descriptors of a search, 128 bytes each: 8 GB."""


def search(work: DeformWorkspace, step: int, radius: float, *, both_ways: bool) -> None:
    """Add the field that is found in steps of so many voxels, within so many mm.

    Args:
        work: the registration.
        step: voxels.
        radius: mm along each axis.
        both_ways: search from moving to fixed, too, and take the middle.

    Raises:
        RegistrationError: nothing overlaps, or memory would not do.
    """
    options, control = work.options, work.schedule.control_stride
    steps = int(radius / (step * work.voxel) + 1e-6)
    ratio = control // step
    positions = math.prod((n - 1) * ratio + 1 + 2 * steps for n in work.nodes.size)
    if positions > MAXIMUM_POSITIONS:
        need = f"{positions * 128 / 2**30:.0f} GB"
        raise RegistrationError(
            f"radius: {radius:g} mm in steps of {step * work.voxel:g} mm need {need}; "
            "use a larger spacing, a smaller radius or crop the fixed image"
        )
    with work.times.timed("moving descriptors"):
        grid = _searched_grid(work, steps * step)
        if work.extracts_once:
            work.seen = work.warped(rescaled(grid, work.schedule.sparse_ratio), options.stride, weighted=both_ways)
            moving = blended_at(work.seen, cells_of(grid, options.stride))
        else:
            moving = work.warped(grid, options.stride, weighted=False)
        if not moving.weights.any():
            raise no_overlap()
    with work.times.timed("search"):
        forward = _displacements(work, work.features, moving, step, steps)
        if both_ways:
            seen = at_cells_of(work.features, moving)
            forward, backward = work.middle(forward, _displacements(work, seen, work.features, step, steps))
            work.backward = to_transform(backward, work.nodes, work.schedule.padding)
        work.add(forward)


def _displacements(
    work: DeformWorkspace, fixed: FeatureVolume, moving: FeatureVolume, step: int, steps: int
) -> FloatArray:
    """The smooth field of one search, mm along the nodes' axes, shape (z, y, x, 3)."""
    length = step * work.voxel
    compiled = _core.DisplacementSearch(
        fixed,
        moving,
        control_spacing=work.schedule.control_stride // work.options.stride,
        step=step // work.options.stride,
        radius=steps,
        threads=work.options.threads,
    )
    found: FloatArray = length * compiled.run([c * length**2 for c in work.schedule.couplings]).astype(np.float64)
    return found


def _searched_grid(work: DeformWorkspace, pad: int) -> Grid:
    """The fixed grid, so many voxels larger on every side but not beyond the moving image, on the same lattice."""
    grid, control = work.grid, work.schedule.control_stride
    inner = grid.padded(-MARGIN)
    first = np.full(3, -pad)
    last = np.asarray(inner.size) - 1 + pad
    if work.initial is None or work.initial.IsLinear():
        corners = work.moving.grid.corners
        if work.initial is not None:
            matrix, offset = matrix_and_offset(work.initial, "initial_transform")
            corners = (corners - offset) @ np.linalg.inv(matrix).T
        index = inner.indices(corners)
        slack = work.largest_displacement / work.voxel
        first = np.maximum(first, np.floor(index.min(axis=0) - slack))
        last = np.minimum(last, np.ceil(index.max(axis=0) + slack))
    first = control * np.floor(first / control)
    last = control * np.ceil(last / control)
    if (last <= first).any():
        raise no_overlap()
    origin = grid.origin + grid.direction @ (first * grid.spacing)
    return Grid.isotropic(last - first + 1 + 2 * MARGIN, origin, grid.step, grid.direction)
