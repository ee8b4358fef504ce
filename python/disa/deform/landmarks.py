# SPDX-License-Identifier: Apache-2.0
"""Landmarks as soft constraints: a smooth field that leads points to theirs as closely as they are exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from disa.deform.schedule import DeformSchedule
from disa.geometry.grid import Grid

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Landmarks:
    """Pairs of points.

    Attributes:
        points: of the fixed image, shape (n, 3), mm.
        targets: where the field should take them, before the initial transform, shape (n, 3), mm.
        tolerance: mm, the standard deviation of a target.
    """

    points: FloatArray
    targets: FloatArray
    tolerance: float

    def pull(self, moved: FloatArray, nodes: Grid, schedule: DeformSchedule) -> FloatArray:
        """What to add to a field so that landmarks come to their targets.

        It is the expected field of a Gaussian process: displacements vary as the schedule's two kernels say, and the
        landmarks are observations of it.

        Args:
            moved: where the field takes the points now, shape (n, 3), mm.
            nodes: of the field.
            schedule: has widths and deviations of the kernels.

        Returns:
            Displacements, mm along the nodes' axes, shape (z, y, x, 3).

        Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, Eq. 2.23.
        """
        noise = self.tolerance**2 * np.eye(len(self.points))
        factors = np.linalg.solve(_covariance(self.points, self.points, schedule) + noise, self.targets - moved)
        x, y, z = nodes.size
        places = nodes.points(np.indices((z, y, x)).reshape(3, -1)[::-1].T)
        field = _covariance(places, self.points, schedule) @ factors
        along_nodes: FloatArray = (field @ nodes.direction).reshape(z, y, x, 3)
        return along_nodes


def _covariance(one: FloatArray, other: FloatArray, schedule: DeformSchedule) -> FloatArray:
    """Of displacements at two sets of points along each axis, squared mm, shape (n, m)."""
    squared = (one**2).sum(1)[:, None] - 2 * one @ other.T + (other**2).sum(1)
    kernels = zip(schedule.landmark_deviations, schedule.landmark_widths, strict=True)
    total: FloatArray = np.sum([s**2 * np.exp(-np.maximum(squared, 0.0) / (2 * w**2)) for s, w in kernels], axis=0)
    return total
