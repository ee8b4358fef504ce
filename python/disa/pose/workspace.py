# SPDX-License-Identifier: Apache-2.0
"""What all stages of a registration by a pose share: both sides, what is compared, and how a pose is optimised."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.errors import RegistrationError
from disa.features.network_grid import STRIDE
from disa.features.side import Side, extended_beyond_masks, voxel_spacing_of
from disa.features.volumes import thinned, well_inside
from disa.geometry.grid import Grid
from disa.geometry.linear import matrix_and_offset
from disa.pose.options import PoseOptions
from disa.pose.pose import Pose, View, distance, distinct
from disa.pose.schedule import Effort, MovingGrid, Schedule
from disa.timing import StageTimes

FloatArray = npt.NDArray[np.float64]

LEAST_SHARE = 1e-6
"""Of the moving image's weight, where none of it lies within reach."""


class FixedDescriptors:
    """Descriptors of the whole fixed image: samples, and what moving samples are read in."""

    def __init__(self, side: Side, voxel: float, stride: int, schedule: Schedule) -> None:
        """
        Args:
            side: the fixed one.
            voxel: mm between the voxels that the network sees.
            stride: voxels between samples.
            schedule: says how dense what is read is.
        """
        self.voxel = voxel
        self._side = side
        self._stride = min(stride, schedule.dense.stride)
        self._features = side.features(voxel, self._stride)
        self._fields: dict[tuple[int, float], FeatureVolume] = {}
        self._widest = schedule.widest
        self.samples = side.checked(_every(side, self._features, self._stride, stride))
        self.mean = side.mean(voxel, self._stride)
        self.centred_samples = _core.centred(self.samples, self.mean)

    def field(self, stride: int, width: float) -> FeatureVolume:
        """What moving samples are read in: so many voxels apart, under a kernel of so many voxels; kept."""
        if (stride, width) not in self._fields:
            field = _every(self._side, self._features, self._stride, stride)
            if width < self._widest:
                field = _core.centred(field, self.mean)
            self._fields[stride, width] = self._side.smooth(field, width * self.voxel) if width > 0 else field
        return self._fields[stride, width]


def _every(side: Side, features: FeatureVolume, stride: int, wanted: int) -> FeatureVolume:
    """Of descriptors so many voxels apart those that are wanted; given ones all."""
    step = max(1, wanted // stride) if side.can_reorient else 1
    return thinned(features, step) if step > 1 else features


class Workspace:
    """A registration under way.

    Attributes:
        fixed, moving: its sides.
        options: what was asked for.
        schedule: how it is done.
        voxel: voxel spacing, mm.
        seed: of what is drawn.
        described: the fixed image at the present voxel spacing.
        whole: the whole moving image, on the axes that the search begins with.
        moving_mean: of its descriptors.
        initial: the pose that it starts from.
        evaluations: of the metric and its derivative so far.
        times: seconds by stage so far.
    """

    def __init__(
        self,
        sides: tuple[Side, Side],
        initial: sitk.Transform | None,
        options: PoseOptions,
        schedule: Schedule,
        *,
        seed: int = 0,
        is_global: bool = False,
        times: StageTimes | None = None,
    ) -> None:
        """Extract the descriptors that a search begins with and place the first pose.

        Args:
            sides: fixed and moving.
            initial: linear, from fixed to moving points; None: centre on centre.
            options, schedule, seed: see the attributes.
            is_global: the search looks along the moving image's own axes, not along those of the first pose.
            times: seconds that went before.
        """
        self.options = options
        self.schedule = schedule
        self.seed = seed
        self.evaluations = 0
        self.times = StageTimes() if times is None else times
        with self.times.timed("fixed descriptors"):
            self.fixed, self.moving = extended_beyond_masks(*sides)
            if initial is None:
                centres = [side.grid.corners.mean(axis=0) for side in (self.fixed, self.moving)]
                matrix, offset = np.eye(3), centres[1] - centres[0]
            else:
                matrix, offset = matrix_and_offset(initial, "initial_transform")
            self.voxel = options.spacing or voxel_spacing_of(self.fixed, self.moving)
            if (options.fine_spacing or 0.0) > self.voxel:
                raise RegistrationError(
                    f"fine_spacing: is {options.fine_spacing:g} mm, coarser than the {self.voxel:g} mm before it; "
                    "give a smaller one, or none"
                )
            self.describe_fixed(self.voxel)
        wanted = _core.nearest_rotation(matrix) @ self.fixed.grid.direction
        self.whole = self.whole_view(nearest_axes(self.moving.grid.direction, wanted) if is_global else wanted)
        sparse = schedule.sparse
        self.moving_mean = self.moving.mean(sparse.ratio * self.voxel, sparse.stride, self.whole.axes)
        self.initial = Pose.first(self.search_about(options.searched, matrix, offset))

    def describe_fixed(self, voxel: float) -> None:
        """Let the fixed image be described by voxels of so many mm."""
        self.described = FixedDescriptors(self.fixed, voxel, self.options.stride, self.schedule)

    @property
    def features(self) -> FeatureVolume:
        """Fixed descriptors that are compared."""
        return self.described.samples

    def search_about(
        self, kind: str, matrix: FloatArray, offset: FloatArray, pressure: _core.ProbePressure | None = None
    ) -> _core.PoseSearch:
        """Poses about an affine one, turned about the centre of the image that reaches less far."""
        matrix, offset = np.reshape(matrix, (3, 3)), np.asarray(offset)
        centre, radius = _core.extent_of(self.features)
        moving_centre, moving_radius = _core.extent_of(self.whole.samples)
        if moving_radius < radius:
            centre, radius = np.linalg.solve(matrix, np.asarray(moving_centre) - offset).tolist(), moving_radius
        return _core.PoseSearch(kind, matrix.ravel(), offset, centre, radius, pressure)

    def terms(self, view: View, width: float) -> tuple[_core.Term, ...]:
        """Both terms of the metric, what is read under a kernel of so many fixed voxels.

        Fixed descriptors that were made before are as sparse as samples are, too sparse to be read in. So there is the
        forward term alone.

        Descriptors are centred, but under the widest kernel: there what all have in common leads to overlap.
        """
        described, field, samples, voxel = self.described, view.features, view.samples, self.described.voxel
        fixed_samples = described.samples
        if width < self.schedule.widest:
            field, samples = (_core.centred(features, self.moving_mean) for features in (field, samples))
            fixed_samples = described.centred_samples
        if width > 0:
            field = self.moving.smooth(field, width * voxel)
        forward = _core.Term(fixed_samples, field)
        if not self.fixed.can_reorient:
            return (forward,)
        return forward, _core.Term(samples, described.field(view.stride, width), view.share)

    def overlaps(self, view: View, pose: Pose) -> tuple[float, float]:
        """Share of the fixed image's weight inside of the moving one under a pose, and of the moving one's in it."""
        fixed, moving = self.described.samples, view.samples
        there = well_inside(fixed, view.features, pose.matrix, pose.offset, 0)
        back = well_inside(moving, self.described.field(view.stride, 0.0), *pose.inverse, 0)
        of_fixed = float(there.weights.sum() / fixed.weights.sum())
        return of_fixed, view.share * float(back.weights.sum() / max(moving.weights.sum(), LEAST_SHARE))

    def terms_inside(self, view: View, pose: Pose) -> tuple[_core.Term, ...]:
        """Unsmoothed terms over the samples that lie well inside of the other image under a pose; none if too few."""
        if not self.fixed.can_reorient:
            return ()
        forward, backward = self.terms(view, 0.0)
        inset, least = self.schedule.inset, self.schedule.least_inside
        fixed = well_inside(forward.samples, forward.field, pose.matrix, pose.offset, inset)
        moving = well_inside(backward.samples, backward.field, *pose.inverse, inset)
        totals = (max(float(term.samples.weights.sum()), LEAST_SHARE) for term in (forward, backward))
        left = [part.weights.sum() / total for part, total in zip((fixed, moving), totals, strict=True)]
        if min(left) < least:
            return ()
        return _core.Term(fixed, forward.field), _core.Term(moving, backward.field)

    def optimize(
        self,
        search: _core.PoseSearch,
        starts: list[list[float]],
        terms: tuple[_core.Term, ...],
        effort: Effort,
        keep: int | None = None,
    ) -> list[Pose]:
        """Ends of BFGS from each start, distinct ones, the best first. Raises RegistrationError without overlap."""
        found = self.ends(search, starts, terms, effort, keep)
        check_overlap(found, len(starts))
        return found

    def ends(
        self,
        search: _core.PoseSearch,
        starts: list[list[float]],
        terms: tuple[_core.Term, ...],
        effort: Effort,
        keep: int | None = None,
    ) -> list[Pose]:
        """The same; none where no start overlaps."""
        settings = _core.StageSettings(
            samples=effort.samples or int(np.count_nonzero(self.features.weights)),
            tolerance=effort.tolerance,
            iterations=effort.iterations,
            keep=self.schedule.kept if keep is None else keep,
            distinct=self.schedule.distinct,
            seed=self.seed,
            threads=self.options.threads,
        )
        stage = search.optimize(starts, terms, settings)
        self.evaluations += stage.evaluations
        return [
            Pose(search, pose.parameters, pose.value, terms=terms, trace=(tuple(pose.trace),)) for pose in stage.poses
        ]

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

    def turn_between(self, one: Pose, other: Pose) -> float:
        """Degrees from the axes that one pose wants to those that another one wants."""
        return _core.angle_between(self.parallel_axes(one), self.parallel_axes(other))

    def parallel_axes(self, pose: Pose) -> FloatArray:
        """Axes of the fixed grid as they lie in the moving image under a pose."""
        return _core.nearest_rotation(pose.matrix) @ self.fixed.grid.direction

    def fits(self, view: View, voxel: float) -> bool:
        """Whether a view is dense and goes with fixed voxels of a size."""
        return view.stride == self.schedule.dense.stride and view.voxel == voxel

    def whole_view(self, axes: FloatArray) -> View:
        """Sparse descriptors of the whole moving image on given axes."""
        with self.times.timed("moving descriptors"):
            sparse = self.schedule.sparse
            features = self.moving.features(sparse.ratio * self.voxel, sparse.stride, axes)
        return View(axes, sparse.stride, self.voxel, features, features, 1.0)

    def view_about(self, pose: Pose, grid: MovingGrid, voxel: float) -> View:
        """Descriptors of the moving image about what is compared under a pose, parallel to the fixed ones.

        Args:
            pose: see above.
            grid: how dense they are.
            voxel: size of the fixed voxels, mm.
        """
        axes = self.parallel_axes(pose)
        box = self.compared_box(pose, grid.ratio * voxel)
        features = self.moving.features(grid.ratio * voxel, grid.stride, axes, box)
        samples = _every(self.moving, features, grid.stride, self.options.stride)
        return View(axes, grid.stride, voxel, features, samples, self._share_within(Grid.of(features)))

    def _share_within(self, box: Grid) -> float:
        """Share of the moving image's weight that lies within a grid."""
        weights = self.whole.samples.weights
        cells = Grid.of(self.whole.samples)
        z, y, x = np.nonzero(weights)
        index = box.indices(cells.points(np.stack([x, y, z], axis=1)))
        inside = ((index >= -0.5) & (index <= np.asarray(box.size) - 0.5)).all(axis=1)
        share = np.average(inside, weights=weights[z, y, x])
        return max(float(share), LEAST_SHARE)

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


def nearest_axes(own: FloatArray, wanted: FloatArray) -> FloatArray:
    """The axes of a grid in the order and of the signs that are nearest to wanted ones, of the wanted handedness.

    A volume on its own axes is no larger than it is; on others the box about it may be several times as large.
    """
    handedness = np.linalg.det(own) * np.linalg.det(wanted)
    candidates = (
        own[:, order] * signs
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1.0, -1.0), repeat=3)
        if np.linalg.det(np.eye(3)[:, order] * signs) * handedness > 0
    )
    return max(candidates, key=lambda axes: float(np.trace(axes.T @ wanted)))


def check_overlap(ends: list[Pose], starts: int) -> None:
    """Raises RegistrationError where none of some starts led anywhere."""
    if not ends:
        where = "the initial transform" if starts == 1 else f"any of {starts} starts"
        raise RegistrationError(
            f"fixed and moving do not overlap under {where}; give an initial_transform that brings them together"
        )
