# SPDX-License-Identifier: Apache-2.0
"""Texts of 4 x 4 numbers, in which FSL's flirt, greedy and C3D write linear transforms, each in a frame of its own.

Nothing in such a text says whose it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from disa.geometry.grid import Grid
from disa.io.coordinate_systems import lps_of_matrix
from disa.io.numbers import number_of
from disa.io.transform_blocks import Block

FloatArray = npt.NDArray[np.float64]

TakeMatrix = Callable[[FloatArray], FloatArray]
"""Makes of the matrix of a text the one from fixed to moving points in LPS, mm, both (4, 4)."""

_LONGEST = 4096
"""Bytes of such a text."""


def matrix_of_text(path: Path) -> FloatArray | None:
    """The (4, 4) matrix of a text; None where it is something else. Raises OSError where it cannot be read."""
    if path.stat().st_size > _LONGEST:
        return None
    try:
        lines = path.read_bytes().decode("ascii").splitlines()
        rows = [[number_of(word) for word in line.split()] for line in lines if line.strip()]
    except ValueError:
        return None
    if [len(row) for row in rows] != [4] * 4 or rows[3] != [0.0, 0.0, 0.0, 1.0]:
        return None
    return np.array(rows)


def block_of_matrix(matrix: FloatArray) -> Block:
    """The affine transform of a (4, 4) matrix in LPS, mm."""
    numbers = [*matrix[:3, :3].ravel().tolist(), *matrix[:3, 3].tolist()]
    return Block("AffineTransform_double_3_3", numbers, (0.0, 0.0, 0.0))


def of_greedy(matrix: FloatArray) -> FloatArray:
    """Of greedy and c3d_affine_tool: from fixed to moving points in RAS, mm."""
    return lps_of_matrix(matrix, "RAS")


def of_flirt(fixed: Grid, moving: Grid) -> TakeMatrix:
    """Of FSL's flirt: from the moving (`-in`) to the fixed (`-ref`) image, each in its own scaled voxels.

    Source: FSL's wiki, "What is the format of the matrix used by FLIRT, and how does it relate to the transformation
    parameters?"
    """

    def take(matrix: FloatArray) -> FloatArray:
        to_scaled_voxels = np.linalg.inv(_from_scaled_voxels(fixed))
        taken: FloatArray = _from_scaled_voxels(moving) @ np.linalg.inv(matrix) @ to_scaled_voxels
        return taken

    return take


def _from_scaled_voxels(grid: Grid) -> FloatArray:
    """From FSL's frame of an image to LPS: voxels times spacing, the first axis turned round where it is stored so.

    FSL turns it where the image's axes are right-handed ("neurological"), so that its own are left-handed.
    """
    to_voxels = np.diag([*(1.0 / grid.spacing), 1.0])
    if np.linalg.det(grid.direction) > 0:
        to_voxels[0] *= -1.0
        to_voxels[0, 3] = grid.size[0] - 1.0
    to_points = np.eye(4)
    to_points[:3, :3] = grid.direction * grid.spacing
    to_points[:3, 3] = grid.origin
    return to_points @ to_voxels
