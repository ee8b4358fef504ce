# SPDX-License-Identifier: Apache-2.0
"""Random rotations and the grids on which crops are sampled. Vectors are in x, y, z order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class HasAffine(Protocol):
    """A grid, with the (4, 4) matrix from voxel (x, y, z) to world."""

    @property
    def affine(self) -> Matrix: ...


@dataclass(frozen=True)
class CropGrid:
    """A cubic grid of `size` voxels a side in world space.

    Voxel q (x, y, z) lies at origin + linear @ (q - size // 2).

    Attributes:
        origin: (3,) world position in mm of voxel size // 2.
        linear: (3, 3) mm per voxel.
        size: voxels a side.
    """

    origin: Matrix
    linear: Matrix
    size: int

    @property
    def affine(self) -> Matrix:
        """(4, 4) matrix from grid voxel to world."""
        affine = np.eye(4)
        affine[:3, :3] = self.linear
        affine[:3, 3] = self.origin - self.linear.sum(axis=1) * (self.size // 2)
        return affine

    def moved(self, turn: Matrix, shift: Matrix) -> CropGrid:
        """The grid turned about its middle and shifted by parts of a voxel in its own axes."""
        linear = self.linear @ turn
        return CropGrid(self.origin + linear @ shift, linear, self.size)


def grid_to_grid(sources: Sequence[HasAffine], targets: Sequence[HasAffine]) -> Matrix:
    """(count, 3, 4) matrices from voxels of each source to voxels of its target."""
    to_voxel = np.linalg.inv(np.stack([t.affine for t in targets]))
    return np.asarray(to_voxel @ np.stack([s.affine for s in sources]))[:, :3]


def rotation_about(axis: Matrix, angle: float) -> Matrix:
    """(3, 3) rotation by `angle` radians about a unit axis (Rodrigues' formula)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation: Matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return rotation


def random_rotation(random: np.random.Generator) -> Matrix:
    """(3, 3) rotation or rotary reflection, uniform over all of them."""
    q, r = np.linalg.qr(random.standard_normal((3, 3)))
    rotation: Matrix = q * np.sign(np.diag(r))
    return rotation


def random_axis_swap(random: np.random.Generator) -> Matrix:
    """(3, 3) signed permutation, uniform over all 48."""
    swap: Matrix = np.eye(3)[random.permutation(3)] * random.choice([-1.0, 1.0], 3)
    return swap


def random_turn(random: np.random.Generator, max_degrees: float) -> Matrix:
    """(3, 3) rotation about a uniform axis by a uniform angle up to `max_degrees`."""
    axis = random.standard_normal(3)
    angle = np.deg2rad(random.uniform(0, max_degrees))
    return rotation_about(axis / np.linalg.norm(axis), angle)
