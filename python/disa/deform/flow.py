# SPDX-License-Identifier: Apache-2.0
"""Diffeomorphisms by construction: flows of a stationary velocity field, forwards and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.deform.fields import corner_determinants, sample, smoothed, to_transform, without_folds
from disa.geometry.grid import Grid

FloatArray = npt.NDArray[np.float64]

STEPS = 8
"""Into which a flow is cut."""
ITERATIONS = 5
"""Of the search for a velocity."""
REFINEMENT = 3
"""Nodes of the fields that a flow is written as, by nodes of its velocity along an axis."""
PADDING = 4
"""Nodes beyond the last ones to which a velocity is continued, so that no path leaves it."""


@dataclass(frozen=True)
class Flow:
    """A diffeomorphism and its inverse.

    Attributes:
        nodes: of both fields, which reach one node of the velocity beyond its last ones.
        forward: displacements, mm along the nodes' axes, shape (z, y, x, 3).
        backward: of the inverse.
    """

    nodes: Grid
    forward: FloatArray
    backward: FloatArray


def flow_near(displacements: FloatArray, nodes: Grid) -> Flow:
    """The flow of a stationary velocity field that is near to a field.

    A velocity is linear between its nodes, so points that flow along it never meet, and flowing back leads each to
    where it came from. The velocity is sought by adding what the flow lacks, and smoothed where the steps of a flow
    would fold.

    Args:
        displacements: mm along the nodes' axes, shape (z, y, x, 3).
        nodes: where they stand, of one spacing.

    Source: Arsigny et al., A log-Euclidean framework for statistics on diffeomorphisms, MICCAI 2006.
    """
    field = without_folds(displacements, nodes.step)
    velocity = field
    for _ in range(ITERATIONS):
        velocity = _steady(velocity, nodes)
        velocity = velocity + field - sample(_flow(velocity, nodes), nodes)
    velocity = _steady(velocity, nodes)
    wider = nodes.padded(1)
    x, y, z = ((n - 1) * REFINEMENT + 1 for n in wider.size)
    fine = Grid((x, y, z), wider.origin, wider.spacing / REFINEMENT, wider.direction)
    while True:
        forward, backward = (sample(_flow(sign * velocity, nodes), fine) for sign in (1.0, -1.0))
        if min(corner_determinants(way, fine.step).min() for way in (forward, backward)) > 0:
            return Flow(fine, forward, backward)
        velocity = smoothed(velocity)


def _flow(velocity: FloatArray, nodes: Grid) -> sitk.CompositeTransform:
    """The flow of a velocity for a unit of time, as STEPS times the midpoint rule."""
    half = to_transform(velocity / (2 * STEPS), nodes, PADDING)
    along = to_transform(velocity / STEPS, nodes, PADDING)
    padded = nodes.padded(PADDING)
    midpoint = sample(sitk.CompositeTransform([along, half]), padded) - sample(half, padded)
    return sitk.CompositeTransform([to_transform(midpoint, padded)] * STEPS)


def _steady(velocity: FloatArray, nodes: Grid) -> FloatArray:
    """Smoothed where it would fold in a step of the flow."""
    return STEPS * without_folds(velocity / STEPS, nodes.step)
