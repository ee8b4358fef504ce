# SPDX-License-Identifier: Apache-2.0
"""One pose of a search, and which of some are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.geometry.linear import linear_transform
from disa.pose.schedule import Contenders

FloatArray = npt.NDArray[np.float64]


class View(NamedTuple):
    """Descriptors of the moving image on some axes.

    Attributes:
        axes: (3, 3) with columns.
        stride: voxels between them.
        voxel: of the fixed descriptors that they go with, mm.
        features: which fixed samples are read in.
        samples: those of them that are read in the fixed image.
        share: of the moving image's weight that the samples hold.
    """

    axes: FloatArray
    stride: int
    voxel: float
    features: FeatureVolume
    samples: FeatureVolume
    share: float


@dataclass(frozen=True)
class Pose:
    """One pose of a search.

    Attributes:
        search: whose parameters these are.
        parameters: mm.
        value: of the metric.
        view: the moving descriptors that it was found over.
        terms: of the metric that it was found by.
        has_moved: whether it lies elsewhere than the pose that these descriptors were extracted for.
        trace: values of the optimisations that led here, an optimisation each.
        rival: value of the best other pose that it was compared with, by its own; 0 if there was none.
    """

    search: _core.PoseSearch
    parameters: list[float]
    value: float = 0.0
    view: View | None = None
    terms: tuple[_core.Term, ...] = ()
    has_moved: bool = False
    trace: tuple[tuple[float, ...], ...] = ()
    rival: float = 0.0

    @classmethod
    def first(cls, search: _core.PoseSearch) -> Pose:
        """The pose that a search starts about."""
        return cls(search, search.draw(1, 0.0, 0.0, 0)[0])

    @property
    def matrix(self) -> FloatArray:
        return np.asarray(self.search.map(self.parameters)[0]).reshape(3, 3)

    @property
    def offset(self) -> FloatArray:
        return np.asarray(self.search.map(self.parameters)[1])

    @property
    def inverse(self) -> tuple[FloatArray, FloatArray]:
        """Matrix and offset of the way back of its linear part."""
        matrix = np.linalg.inv(self.matrix).astype(np.float64)
        return matrix, -matrix @ self.offset

    @property
    def transform(self) -> sitk.Transform:
        """Its linear part."""
        return linear_transform(self.matrix, self.offset, np.asarray(self.search.centre))

    def moved(self, points: FloatArray) -> FloatArray:
        """Where its linear part takes points, both of shape (n, 3), mm."""
        return points @ self.matrix.T + self.offset


def parameters_of(poses: list[Pose]) -> list[list[float]]:
    return [pose.parameters for pose in poses]


def distance(one: Pose, other: Pose, points: FloatArray) -> float:
    """Mean distance in mm between where two poses take points of shape (n, 3)."""
    return _core.mean_distance(one.moved(points), other.moved(points))


def distinct(poses: list[Pose], points: FloatArray, least: float) -> list[Pose]:
    """The best of poses that are about the same, the best first.

    Args:
        poses: whatever they were found over; their values are compared.
        points: shape (n, 3), that they are compared at.
        least: mm between two that count as different.
    """
    kept = _core.distinct([pose.moved(points) for pose in poses], [pose.value for pose in poses], least, len(poses))
    return [poses[index] for index in kept]


def contenders(poses: list[Pose], which: Contenders) -> list[Pose]:
    """Of poses, the best first: the best, and those others of nearly its value."""
    near = (pose for pose in poses[1 : which.count] if pose.value <= which.share * poses[0].value)
    return [*poses[:1], *near]
