# SPDX-License-Identifier: Apache-2.0
"""What all stages of a registration by a pose share: both sides, what is compared, and how a pose is optimised."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.errors import RegistrationError
from disa.features.network_grid import STRIDE
from disa.features.side import Side, extended_beyond_masks
from disa.geometry.linear import matrix_and_offset
from disa.pose.options import PoseOptions
from disa.pose.pose import Pose, distance, distinct
from disa.pose.schedule import Effort, Schedule
from disa.timing import StageTimes

FloatArray = npt.NDArray[np.float64]


@dataclass
class Workspace:
    """A registration under way.

    Attributes:
        fixed, moving: its sides.
        options: what was asked for.
        schedule: how it is done.
        voxel: voxel spacing, mm.
        seed: of what is drawn.
        features: fixed descriptors, which are compared.
        initial: the pose that it starts from.
        evaluations: of the metric and its derivative so far.
        times: seconds by stage so far.
    """

    fixed: Side
    moving: Side
    options: PoseOptions
    schedule: Schedule
    voxel: float
    seed: int
    features: FeatureVolume
    initial: Pose
    evaluations: int = 0
    times: StageTimes = field(default_factory=StageTimes)

    @classmethod
    def open(
        cls,
        sides: tuple[Side, Side],
        initial: sitk.Transform | None,
        options: PoseOptions,
        schedule: Schedule,
        seed: int = 0,
        times: StageTimes | None = None,
    ) -> Workspace:
        """Extract the fixed descriptors and place the first pose.

        Args:
            sides: fixed and moving.
            initial: linear, from fixed to moving points; None: centre on centre.
            options, schedule, seed: see the attributes.
            times: seconds that went before.
        """
        times = StageTimes() if times is None else times
        with times.timed("fixed descriptors"):
            fixed, moving = extended_beyond_masks(*sides)
            if initial is None:
                matrix, offset = np.eye(3), moving.grid.corners.mean(axis=0) - fixed.grid.corners.mean(axis=0)
            else:
                matrix, offset = matrix_and_offset(initial, "initial_transform")
            voxel = options.spacing or _core.automatic_voxel_spacing(fixed.grid, moving.grid)
            features = fixed.fixed_features(voxel, options.stride)
        pose = Pose.first(_core.PoseSearch(features, options.searched, matrix.ravel(), offset))
        return cls(fixed, moving, options, schedule, voxel, seed, features, pose, times=times)

    def optimize(
        self,
        search: _core.PoseSearch,
        starts: list[list[float]],
        moving: FeatureVolume,
        effort: Effort,
        keep: int | None = None,
    ) -> list[Pose]:
        """Ends of BFGS from each start, distinct ones, the best first. Raises RegistrationError without overlap."""
        found = self.ends(search, starts, moving, effort, keep)
        check_overlap(found, len(starts))
        return found

    def ends(
        self,
        search: _core.PoseSearch,
        starts: list[list[float]],
        moving: FeatureVolume,
        effort: Effort,
        keep: int | None = None,
    ) -> list[Pose]:
        """The same; none where no start overlaps."""
        settings = _core.StageSettings(
            samples=effort.samples,
            tolerance=effort.tolerance,
            iterations=effort.iterations,
            keep=self.schedule.kept if keep is None else keep,
            distinct=self.schedule.distinct,
            seed=self.seed,
            threads=self.options.threads,
        )
        stage = search.optimize(starts, moving, settings)
        self.evaluations += stage.evaluations
        return [Pose(search, pose.parameters, pose.value, trace=(tuple(pose.trace),)) for pose in stage.poses]

    def distinct(self, poses: list[Pose]) -> list[Pose]:
        """The best of poses that take the fixed image to about the same place, the best first."""
        return distinct(poses, self.fixed.grid.corners, self.schedule.distinct)

    def distance(self, one: Pose, other: Pose) -> float:
        """Mean distance in mm between where two poses take the corners of the fixed image."""
        return distance(one, other, self.fixed.grid.corners)

    def has_turned(self, pose: Pose, axes: FloatArray) -> bool:
        """Whether descriptors on these axes are no longer parallel enough."""
        return self.turn(axes, pose) > self.schedule.reorientation

    def turn(self, axes: FloatArray, pose: Pose) -> float:
        """Degrees from axes of moving descriptors to those that a pose wants; 0 where they cannot be re-oriented."""
        return _core.angle_between(axes, self.parallel_axes(pose)) if self.moving.can_reorient else 0.0

    def parallel_axes(self, pose: Pose) -> FloatArray:
        """Axes of the fixed grid as they lie in the moving image under a pose."""
        return _core.nearest_rotation(pose.matrix) @ self.fixed.grid.direction

    def sparse_features(self, axes: FloatArray, around: FloatArray | None = None) -> FeatureVolume:
        """Moving descriptors of the whole image, or of the box of some points, on given axes."""
        with self.times.timed("moving descriptors"):
            sparse = self.schedule.sparse
            return self.moving.moving_features(sparse.ratio * self.voxel, sparse.stride, axes, around)

    def compared_box(self, pose: Pose, voxel: float) -> FloatArray:
        """Two corners of the box about what is compared, in the moving image under a pose, for moving voxels of a size.

        What is compared are the fixed descriptors of any weight; outside of a mask, and in air of one value, there are
        none. Corners lie whole steps from where the fixed image's centre comes to, so that the grid of descriptors in
        the box does not depend on how large it is.
        """
        axes = self.parallel_axes(pose)
        counts = self.features.weights > 0
        cells = [np.flatnonzero(counts.any(axis=others))[[0, -1]] for others in ((0, 1), (0, 2), (1, 2))]  # x, y, z
        ends = np.stack(cells, axis=1) * self.features.spacing
        corners = np.asarray(list(itertools.product(*ends.T))) @ np.reshape(self.features.direction, (3, 3)).T
        compared = pose.moved(corners + self.features.origin) @ axes
        centre = (pose.moved(self.fixed.grid.corners) @ axes).mean(axis=0)
        step, reach = STRIDE * voxel, self.schedule.reach * voxel
        low = centre + step * np.floor((compared.min(axis=0) - reach - centre) / step)
        high = centre + step * np.ceil((compared.max(axis=0) + reach - centre) / step)
        box: FloatArray = np.stack([low, high]) @ axes.T
        return box


def check_overlap(ends: list[Pose], starts: int) -> None:
    """Raises RegistrationError where none of some starts led anywhere."""
    if not ends:
        where = "the initial transform" if starts == 1 else f"any of {starts} starts"
        raise RegistrationError(
            f"fixed and moving do not overlap under {where}; give an initial_transform that brings them together"
        )
