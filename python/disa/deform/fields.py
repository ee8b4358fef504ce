# SPDX-License-Identifier: Apache-2.0
"""Displacements on a grid of nodes: to SimpleITK and back, their Jacobian determinant, and a remedy for folds."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.geometry.grid import Grid

FloatArray = npt.NDArray[np.float64]

LEAST_DETERMINANT = 0.02
"""What a field without folds keeps in every corner of every cell."""


def to_transform(displacements: FloatArray, nodes: Grid, padding: int = 0) -> sitk.DisplacementFieldTransform:
    """A transform x -> x + u(x), linear between nodes.

    Args:
        displacements: mm along the nodes' axes, shape (z, y, x, 3).
        nodes: where they stand.
        padding: nodes that are added on every side, each with the displacement of the nearest.
    """
    padded = np.pad(displacements, [(padding, padding)] * 3 + [(0, 0)], mode="edge")
    along_world = padded.astype(np.float64) @ nodes.direction.T
    return sitk.DisplacementFieldTransform(nodes.padded(padding).image_of(along_world, is_vector=True))


def sample(transform: sitk.Transform, nodes: Grid) -> FloatArray:
    """Displacements of a transform at the nodes, mm along the nodes' axes, shape (z, y, x, 3)."""
    field = sitk.TransformToDisplacementField(
        transform,
        sitk.sitkVectorFloat64,
        nodes.size,
        nodes.origin.tolist(),
        nodes.spacing.tolist(),
        nodes.direction.ravel().tolist(),
    )
    displacements: FloatArray = sitk.GetArrayFromImage(field) @ nodes.direction
    return displacements


def corner_determinants(displacements: FloatArray, spacing: float) -> FloatArray:
    """Jacobian determinant of x -> x + u(x), linear between nodes, in the 8 corners of each cell.

    Args:
        displacements: mm along the nodes' axes, shape (z, y, x, 3), two nodes or more along each axis.
        spacing: mm between nodes.

    Returns:
        Shape (z - 1, y - 1, x - 1, 8). A fold has a corner of 0 or less; central differences would miss some.
    """
    edges = [_edges(displacements, axis, spacing) for axis in range(3)]
    corners = []
    for corner in itertools.product((0, 1), repeat=3):  # x, y, z
        columns = []
        for axis, edge in enumerate(edges):
            along = [slice(None)] * 3
            for other in range(3):
                count = displacements.shape[2 - other] - 1
                begin = 0 if other == axis else corner[other]
                along[2 - other] = slice(begin, begin + count)
            columns.append(edge[(slice(None), *along)])
        corners.append(_determinants(*columns))
    return np.stack(corners, axis=-1)


def _edges(displacements: FloatArray, axis: int, spacing: float) -> FloatArray:
    """Derivative of x -> x + u(x) along an axis, between nodes, each component in one piece: shape (3, z, y, x)."""
    steps = np.diff(np.moveaxis(displacements, -1, 0), axis=3 - axis) / spacing
    steps[axis] += 1.0
    return np.ascontiguousarray(steps)


def _determinants(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Of matrices with these columns, shape (3, ...) each. LAPACK takes six times as long for so small ones."""
    found: FloatArray = (
        a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    )
    return found


def without_folds(displacements: FloatArray, spacing: float) -> FloatArray:
    """The same, smoothed about its folds, wider and wider, until no corner determinant is below LEAST_DETERMINANT."""
    reach = 1
    while True:
        folded = (corner_determinants(displacements, spacing) < LEAST_DETERMINANT).any(axis=-1)
        if not folded.any():
            return displacements
        nodes = np.zeros(displacements.shape[:3], bool)
        for corner in itertools.product((0, 1), repeat=3):
            nodes[tuple(slice(c, c + n) for c, n in zip(corner, folded.shape, strict=True))] |= folded
        for _ in range(reach):
            nodes = _grown(nodes)
        displacements = np.where(nodes[..., None], smoothed(displacements), displacements)
        reach += 1


def _grown(nodes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """With all 26 neighbours of each."""
    for axis in range(3):
        padded = np.pad(nodes, [(int(a == axis), int(a == axis)) for a in range(3)])
        n = nodes.shape[axis]
        parts = [np.take(padded, range(begin, begin + n), axis) for begin in range(3)]
        nodes = parts[0] | parts[1] | parts[2]
    return nodes


def smoothed(displacements: FloatArray) -> FloatArray:
    """Under the binomial kernel 1/4, 1/2, 1/4 along each axis; the border is continued."""
    for axis in range(3):
        padded = np.pad(displacements, [(int(a == axis), int(a == axis)) for a in range(4)], mode="edge")
        n = displacements.shape[axis]
        low, middle, high = (np.take(padded, range(begin, begin + n), axis) for begin in range(3))
        displacements = 0.25 * low + 0.5 * middle + 0.25 * high
    return displacements
