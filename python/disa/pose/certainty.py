# SPDX-License-Identifier: Apache-2.0
"""How sure it is that one pose is better than another, told from the parts of the images that say so."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from disa.core import FeatureVolume, _core
from disa.geometry.grid import Grid
from disa.pose.pose import Pose
from disa.pose.workspace import Workspace

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BLOCK = 24.0
"""mm along each axis of the parts; descriptors further apart than this hardly say the same."""
GROUPS = 24
"""That the parts are dealt to at random."""
MIX = (73856093, 19349663, 83492791)
"""Teschner and others, Optimized Spatial Hashing, 2003: large primes that scatter neighbouring cells."""


class Gain(NamedTuple):
    """By how much the value of one pose lies below that of another, and the standard deviation of that."""

    value: float
    deviation: float


def gain(work: Workspace, pose: Pose, over: Pose) -> Gain:
    """What a pose gains over another one.

    The samples of both images are dealt to groups of blocks, which each have a gain of their own. If blocks are
    independent of each other, the variance of the sum is that of the groups' gains times their number (random groups;
    Wolter, Introduction to Variance Estimation, 2007, chapter 2).

    Args:
        work: the registration.
        pose, over: with views, and terms of the metric under one kernel.
    """
    gains = _values(work, over) - _values(work, pose)
    return Gain(float(gains.sum()), float(np.sqrt(GROUPS * gains.var(ddof=1))))


def _values(work: Workspace, pose: Pose) -> FloatArray:
    """What each group adds to the value."""
    assert pose.view is not None
    ways = ((pose.matrix, pose.offset, 1.0), (*pose.inverse, pose.view.share))
    values = np.zeros(GROUPS)
    for (matrix, offset, share), term in zip(ways, pose.terms, strict=False):
        values += _values_one_way(work, term, matrix, offset) * share
    return values / len(pose.terms)


def _values_one_way(work: Workspace, term: _core.Term, matrix: FloatArray, offset: FloatArray) -> FloatArray:
    search = work.search_about("affine", matrix, offset)
    parameters = Pose.first(search).parameters
    weights, groups = term.samples.weights, _groups(term.samples)
    values = np.zeros(GROUPS)
    for group in range(GROUPS):
        part = np.where(groups == group, weights, np.float32(0))
        if part.any():
            samples = term.samples.replaced(weights=part)
            value = search.evaluate(parameters, (_core.Term(samples, term.field),))[0]
            values[group] = value * part.sum() / weights.sum()
    return values


def _groups(samples: FeatureVolume) -> IntArray:
    """Number of each cell's group, (z, y, x); cells of one block, by their place in mm, have the same."""
    z, y, x = np.indices(samples.weights.shape)
    points = Grid.of(samples).points(np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1))
    block = np.floor(points / BLOCK).astype(np.int64) * MIX
    mixed = block[:, 0] ^ block[:, 1] ^ block[:, 2]
    groups: IntArray = np.abs(mixed ^ (mixed >> 15)) % GROUPS
    return groups.reshape(samples.weights.shape)
