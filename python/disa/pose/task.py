"""The stages of a registration: search, re-orientation, refinement."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.checking import MAXIMUM_THREADS, check_stride, check_whole
from disa.core import FeatureVolume, _core
from disa.errors import RegistrationError
from disa.features.extract import check_spacing
from disa.features.resampling import STRIDE
from disa.features.side import Source, extend_beyond_masks, open_source
from disa.geometry.linear import angle_between, linear_transform, matrix_and_offset, nearest_rotation
from disa.io.images import ImageLike
from disa.pose.probe_pressure import ProbePressure
from disa.pose.result import Optimum, RegistrationResult
from disa.timing import StageTimes

FloatArray = npt.NDArray[np.float64]

KINDS = ("translation", "rigid", "similarity", "affine", "probe")
SEARCHED_AS_RIGID = ("similarity", "affine", "probe")
"""Kinds of poses, and those whose further parameters are freed once a rigid pose is found."""

FIXED_STRIDE = 4
DENSE = (2 / 5**0.5, 2)
SPARSE = (5**0.5 / 2, 4)
"""Moving voxels by fixed ones, and stride, to refine with and to search with. The ratios keep grids from locking."""

SMOOTHING = 12.0
"""Voxels; width of the kernel over the moving descriptors where a search begins."""

ENDING = (SMOOTHING / 2, SMOOTHING / 4)
FREED_ENDING = (SMOOTHING / 4, 0.0)
"""Widths of the last steps, for rigid poses and for those that may shrink, as they do over smooth descriptors."""


@dataclass(frozen=True)
class Effort:
    """How an optimisation is done.

    Attributes:
        samples: fixed descriptors that are drawn; 0: all.
        tolerance: mm; a shorter step of BFGS ends it.
        iterations: of BFGS, at most.
    """

    samples: int
    tolerance: float
    iterations: int


SEARCHING = Effort(512, 0.5, 30)
EXPLORING = Effort(1024, 0.3, 40)
REFINING = Effort(0, 0.01, 100)

EXPLORED = (100, 30.0, 30.0)
"""Poses, degrees and mm about a refined pose that are tried over its descriptors: sharper than the search's, they tell
optima apart that are one to it."""

SURVIVORS = 32
KEPT = 8
DISTINCT = 8.0
"""Ends of the search that go on to sharper descriptors, optima that are kept, and mm between two that count as
different. Under the widest kernel a right pose that loses overlap, at the border or at a mask, is hardly better than
wrong ones that lose none; under the narrower ones it is."""

TURNED = 20.0
FAR_TURNED = 30.0
RIVALS = (8, 0.75)
"""Degrees of turn between descriptors from which they tell little, and from which the moving image's own axes alone
will not do. At most so many of a search's ends, whose value is this share of the best one's or more, are tried over
descriptors of their own where they are turned."""

CONTENDERS = (4, 0.85)
FINALISTS = (2, 0.95)
"""At most so many optima are refined, those whose value is this share of the best one's or more; and of what these
refinements find, at most so many are refined once more where they have moved away from their descriptors."""

REORIENTATION = 1.0
"""Degrees of turn after which the moving descriptors are extracted anew."""

DRIFTING = 5.0
ROUNDS = 5
"""Degrees of turn after which a pose looks about itself over the new descriptors, too, and how often at most."""

REACH = 10.0
"""Voxels about what is compared within which moving descriptors are extracted once a pose is about known."""


@dataclass(frozen=True)
class Pose:
    """One pose of a search.

    Attributes:
        search: whose parameters these are.
        parameters: mm.
        value: of the metric.
        axes: (3, 3), of the moving descriptors that it was found over.
        moving: these descriptors.
        has_moved: whether it lies elsewhere than the pose that these descriptors were extracted for.
        trace: values of the optimisations that led here, an optimisation each.
    """

    search: _core.PoseSearch
    parameters: list[float]
    value: float = 0.0
    axes: FloatArray | None = None
    moving: FeatureVolume | None = None
    has_moved: bool = False
    trace: tuple[tuple[float, ...], ...] = ()

    @property
    def matrix(self) -> FloatArray:
        return np.asarray(self.search.map(self.parameters)[0]).reshape(3, 3)

    @property
    def offset(self) -> FloatArray:
        return np.asarray(self.search.map(self.parameters)[1])

    @property
    def transform(self) -> sitk.Transform:
        """Its linear part."""
        return linear_transform(self.matrix, self.offset, np.asarray(self.search.centre))


@dataclass(frozen=True)
class View:
    """Sparse descriptors of the moving image on some axes."""

    axes: FloatArray
    features: FeatureVolume


@dataclass
class Task:
    """A registration under way."""

    fixed: Source
    moving: Source
    kind: str
    probe: ProbePressure | None
    seed: int
    spacing: float
    stride: int
    threads: int
    features: FeatureVolume  # fixed
    initial: Pose
    optima: list[Pose] = field(default_factory=list)  # of the search, for the result
    evaluations: int = 0
    times: StageTimes = field(default_factory=StageTimes)

    @classmethod
    def open(
        cls,
        fixed: ImageLike | FeatureVolume,
        moving: ImageLike | FeatureVolume,
        initial: sitk.Transform | None,
        kind: str,
        seed: int,
        probe: ProbePressure | None,
        fixed_mask: ImageLike | None,
        moving_mask: ImageLike | None,
        model: str | os.PathLike[str],
        spacing: float,
        stride: int,
        providers: Sequence[str] | None,
        threads: int,
    ) -> Task:
        """Read what there is and extract the fixed descriptors; arguments and errors are `global_register`'s."""
        if kind not in KINDS:
            raise RegistrationError(f"transform: expected one of {', '.join(KINDS)}, got {kind}")
        if (probe is not None) != (kind == "probe"):
            raise RegistrationError('probe: expected with transform="probe", and only with it')
        if not isinstance(probe, ProbePressure | None):
            raise RegistrationError(f"probe: expected a disa.ProbePressure, got {type(probe).__name__}")
        check_stride(stride)
        check_spacing(spacing)
        check_whole("threads", threads, 0, MAXIMUM_THREADS)
        if initial is not None:
            matrix, offset = matrix_and_offset(initial, "initial_transform")
        times = StageTimes()
        with times.timed("fixed descriptors"):
            fixed_source = open_source(fixed, "fixed", fixed_mask, model, providers)
            moving_source = open_source(moving, "moving", moving_mask, model, providers)
            extend_beyond_masks(fixed_source, moving_source)
            if initial is None:
                matrix = np.eye(3)
                offset = moving_source.corners.mean(axis=0) - fixed_source.corners.mean(axis=0)
            features = fixed_source.fixed_features(spacing, stride)
        searched = "rigid" if kind in SEARCHED_AS_RIGID else kind
        pose = first_pose(_core.PoseSearch(features, searched, matrix.ravel(), offset))
        return cls(
            fixed_source, moving_source, kind, probe, seed, spacing, stride, threads, features, pose, times=times
        )

    def search(self, starts: int, rotation: float, translation: float) -> list[Pose]:
        """Distinct optima over random starts, followed to sharp descriptors, the best first.

        Those of the result are the best halfway, where descriptors tell optima apart and are smooth enough to compare.
        """
        drawn = self.initial.search.draw(starts, rotation, translation, self.seed)
        halfway: list[Pose] = []
        wanted = self.parallel_axes(self.initial)
        own = nearest_axes(self.moving.axes, wanted)
        apart = self.turn(own, self.initial)
        ends = self.search_in(View(own, self.sparse_features(own)), drawn, halfway)
        if apart > FAR_TURNED or (apart > TURNED and not self.is_clear(ends, own)):
            ends += self.search_in(View(wanted, self.sparse_features(wanted)), drawn, halfway)
        self.check_overlap(ends, starts)
        for pose in _contenders(self.distinct(ends), *RIVALS):
            assert pose.axes is not None
            if self.turn(pose.axes, pose) > TURNED:
                axes = self.parallel_axes(pose)
                box = self.compared_box(pose, SPARSE[0] * self.spacing)
                ends += self.sharpen(View(axes, self.sparse_features(axes, box)), [pose], halfway)
        self.optima = self.distinct(halfway)[:KEPT]
        return self.distinct(ends)

    def search_in(self, view: View, drawn: list[list[float]], halfway: list[Pose]) -> list[Pose]:
        """Where starts lead over a view's descriptors, less and less smooth; `halfway` as in `sharpen`."""
        with self.times.timed("search"):
            wide = self.moving.smooth(view.features, SMOOTHING * self.spacing)
            ends = self.ends(self.initial.search, drawn, wide, SEARCHING, SURVIVORS)
        return self.sharpen(view, ends, halfway)

    def is_clear(self, ends: list[Pose], axes: FloatArray) -> bool:
        """Whether the best end has no rival, and the fixed grid lies about along these axes under it."""
        ranked = self.distinct(ends)
        return bool(ranked) and len(_contenders(ranked, *RIVALS)) == 1 and self.turn(axes, ranked[0]) <= TURNED

    def sharpen(self, view: View, poses: list[Pose], halfway: list[Pose]) -> list[Pose]:
        """Where poses lead over less and less smooth descriptors; `halfway` gets those of the smoother ones, too."""
        with self.times.timed("search"):
            narrow, sharp = (self.moving.smooth(view.features, s * self.spacing) for s in ENDING)
            ends = self.ends_in(view, narrow, poses, EXPLORING, SURVIVORS)
            halfway += self.ends_in(view, narrow, ends[:KEPT], REFINING)
            ends = self.ends_in(view, sharp, ends, EXPLORING, SURVIVORS)
            return self.ends_in(view, sharp, ends[:KEPT], REFINING)

    def ends_in(
        self, view: View, smooth: FeatureVolume, poses: list[Pose], effort: Effort, keep: int = KEPT
    ) -> list[Pose]:
        """`ends` over a view's descriptors."""
        found = self.ends(self.initial.search, _parameters(poses), smooth, effort, keep) if poses else []
        return [replace(pose, axes=view.axes) for pose in found]

    def distinct(self, poses: list[Pose]) -> list[Pose]:
        """The best of poses that are about the same, the best first."""
        kept: list[Pose] = []
        for pose in sorted(poses, key=lambda pose: pose.value):
            if all(self.distance(pose, other) > DISTINCT for other in kept):
                kept.append(pose)
        return kept

    def sparse_features(self, axes: FloatArray, around: FloatArray | None = None) -> FeatureVolume:
        """Moving descriptors of the whole image, or of the box of some points, on given axes."""
        with self.times.timed("moving descriptors"):
            ratio, stride = SPARSE
            return self.moving.moving_features(ratio * self.spacing, stride, axes, around)

    def best_of(self, optima: list[Pose]) -> Pose:
        """The best pose once the optima that may turn out best are re-oriented, explored and refined."""
        explored: list[Pose] = []
        for pose in _contenders(optima, *CONTENDERS):
            if all(self.distance(pose, other) > EXPLORED[2] for other in explored):
                explored += self.explore(self.refine(pose, ENDING))
        explored.sort(key=lambda pose: pose.value)
        return min((self.settle(pose) for pose in _contenders(explored, *FINALISTS)), key=lambda pose: pose.value)

    def settle(self, pose: Pose) -> Pose:
        """The last step over descriptors extracted for this pose, if it has left those that it was found over.

        A pose that has turned far from them looks about itself over the new ones and may turn on: every grid prefers
        poses near the one that it was made for, and along a ridge that is the only way to the top.
        """
        for _ in range(ROUNDS):
            assert pose.axes is not None
            turn = self.turn(pose.axes, pose)
            if not pose.has_moved and turn <= REORIENTATION:
                break
            pose = self.refine(pose, ENDING[-1:])
            if turn <= DRIFTING:
                break
            pose = self.explore(pose)[0]
        return pose

    def explore(self, pose: Pose) -> list[Pose]:
        """Distinct optima about a refined pose, over its moving descriptors, the best first."""
        assert pose.moving is not None
        search = _core.PoseSearch(self.features, self.searched_kind, *pose.search.map(pose.parameters))
        with self.times.timed("refinement"):
            ends = self.optimize(search, search.draw(*EXPLORED, self.seed), pose.moving, EXPLORING)
            ends = self.optimize(search, _parameters(ends), pose.moving, REFINING)
        return [
            replace(
                end,
                axes=pose.axes,
                moving=pose.moving,
                has_moved=self.distance(end, pose) > DISTINCT,
                trace=(*pose.trace, *end.trace),
            )
            for end in ends
        ]

    @property
    def searched_kind(self) -> str:
        return "rigid" if self.kind in SEARCHED_AS_RIGID else self.kind

    def optimize(
        self,
        search: _core.PoseSearch,
        starts: list[list[float]],
        moving: FeatureVolume,
        effort: Effort,
        keep: int = KEPT,
    ) -> list[Pose]:
        """Ends of BFGS from each start, distinct ones, the best first. Raises RegistrationError without overlap."""
        found = self.ends(search, starts, moving, effort, keep)
        self.check_overlap(found, len(starts))
        return found

    def ends(
        self,
        search: _core.PoseSearch,
        starts: list[list[float]],
        moving: FeatureVolume,
        effort: Effort,
        keep: int = KEPT,
    ) -> list[Pose]:
        """The same; none where no start overlaps."""
        stage = search.optimize(
            starts,
            moving,
            samples=effort.samples,
            tolerance=effort.tolerance,
            iterations=effort.iterations,
            keep=keep,
            distinct=DISTINCT,
            seed=self.seed,
            threads=self.threads,
        )
        self.evaluations += stage.evaluations
        return [Pose(search, pose.parameters, pose.value, trace=(tuple(pose.trace),)) for pose in stage.poses]

    @staticmethod
    def check_overlap(ends: list[Pose], starts: int) -> None:
        """Raises RegistrationError where none of some starts led anywhere."""
        if not ends:
            where = "the initial transform" if starts == 1 else f"any of {starts} starts"
            raise RegistrationError(
                f"fixed and moving do not overlap under {where}; give an initial_transform that brings them together"
            )

    def refine(self, pose: Pose, smoothings: Sequence[float], voxel: float | None = None) -> Pose:
        """Optimise over dense moving descriptors that are parallel to the fixed ones, less and less smooth.

        Args:
            pose: to start from.
            smoothings: width of each step's kernel, voxels.
            voxel: mm; the task's spacing if None.
        """
        voxel = voxel or self.spacing
        axes: FloatArray | None = None
        for smoothing in smoothings:
            with self.times.timed("re-oriented descriptors"):
                if axes is None or self.has_turned(pose, axes):
                    axes = self.parallel_axes(pose)
                    ratio, stride = DENSE
                    box = self.compared_box(pose, ratio * voxel)
                    features = self.moving.moving_features(ratio * voxel, stride, axes, box)
                smooth = self.moving.smooth(features, smoothing * voxel) if smoothing > 0 else features
            with self.times.timed("refinement"):
                end = self.optimize(pose.search, [pose.parameters], smooth, REFINING)[0]
                pose = replace(end, axes=axes, moving=smooth, trace=(*pose.trace, *end.trace))
        return pose

    def refine_initial(self) -> Pose:
        """The initial pose through all widths, the first of them over the whole moving image, and the best about it."""
        features = self.sparse_features(self.parallel_axes(self.initial))
        with self.times.timed("search"):
            wide = self.moving.smooth(features, SMOOTHING * self.spacing)
            pose = self.optimize(self.initial.search, [self.initial.parameters], wide, REFINING)[0]
        best = self.best_of([pose])
        self.optima = [best]
        return best

    def finish(self, best: Pose, fine_spacing: float | None) -> RegistrationResult:
        """Free what was not searched for, refine at the finer spacing, and say all that is known of the result."""
        if self.kind in SEARCHED_AS_RIGID:
            best = self.free(best, None)
        if fine_spacing is not None and self.fixed.can_reorient:
            with self.times.timed("fixed descriptors"):
                self.features = self.fixed.fixed_features(fine_spacing, self.stride)
            best = self.free(best, fine_spacing)
        elif best.axes is not None and self.has_turned(best, best.axes):
            best = self.refine(best, ENDING[-1:] if self.kind not in SEARCHED_AS_RIGID else FREED_ENDING[-1:])
        pressure = self.pressure_of(best)
        transform = best.transform
        if self.probe is not None and pressure is not None:
            push = self.probe.transform(*pressure, self.fixed.corners, self.fixed.axes)
            transform = sitk.CompositeTransform([transform, push])
        assert best.moving is not None
        return RegistrationResult(
            transform=transform,
            value=best.value,
            overlap=best.search.overlap(best.parameters, best.moving),
            optima=tuple(Optimum(pose.transform, pose.value) for pose in self.optima),
            evaluations=self.evaluations,
            times=dict(self.times),
            pressure=pressure,
            trace=best.trace,
        )

    def free(self, pose: Pose, voxel: float | None) -> Pose:
        """Refine a pose with all parameters that were asked for, over the present fixed descriptors."""
        linear = pose.search.map(pose.parameters)
        if self.probe is None:
            start = first_pose(_core.PoseSearch(self.features, self.kind, *linear))
        else:
            contact = _core.ProbePressure(self.probe.contact, self.probe.unit_axis, self.probe.depth)
            search = _core.PoseSearch(self.features, "rigid", *linear, contact)
            pressure = self.pressure_of(pose) or (0.0, 0.0)
            start = Pose(search, [*first_pose(search).parameters[:-2], *pressure])
        start = replace(start, trace=pose.trace)
        return self.refine(start, FREED_ENDING if self.kind in SEARCHED_AS_RIGID else ENDING, voxel)

    def pressure_of(self, pose: Pose) -> tuple[float, float] | None:
        """p1 and p2, if the pose has them."""
        rigid = 6
        return (pose.parameters[-2], pose.parameters[-1]) if self.probe and len(pose.parameters) > rigid else None

    def has_turned(self, pose: Pose, axes: FloatArray) -> bool:
        """Whether descriptors on these axes are no longer parallel enough."""
        return self.turn(axes, pose) > REORIENTATION

    def turn(self, axes: FloatArray, pose: Pose) -> float:
        """Degrees from axes of moving descriptors to those that a pose wants; 0 where they cannot be re-oriented."""
        return angle_between(axes, self.parallel_axes(pose)) if self.moving.can_reorient else 0.0

    def parallel_axes(self, pose: Pose) -> FloatArray:
        """Axes of the fixed grid as they lie in the moving image under a pose."""
        return nearest_rotation(pose.matrix) @ self.fixed.axes

    def distance(self, one: Pose, other: Pose) -> float:
        """Mean distance in mm between where two poses take the corners of the fixed image."""
        moved = [self.fixed.corners @ pose.matrix.T + pose.offset for pose in (one, other)]
        return float(np.linalg.norm(moved[0] - moved[1], axis=1).mean())

    def compared_box(self, pose: Pose, voxel: float) -> FloatArray:
        """Two corners of the box about what is compared, in the moving image under a pose, for moving voxels of a size.

        What is compared are the fixed descriptors of any weight; outside of a mask, and in air of one value, there are
        none. Corners lie whole steps from where the fixed image's centre comes to, so that the grid of descriptors in
        the box does not depend on how large it is.
        """
        axes = self.parallel_axes(pose)

        def along(points: FloatArray) -> FloatArray:
            place: FloatArray = (points @ pose.matrix.T + pose.offset) @ axes
            return place

        counts = self.features.weights > 0
        cells = [np.flatnonzero(counts.any(axis=others))[[0, -1]] for others in ((0, 1), (0, 2), (1, 2))]  # x, y, z
        ends = np.stack(cells, axis=1) * self.features.spacing
        corners = np.asarray(list(itertools.product(*ends.T))) @ np.reshape(self.features.direction, (3, 3)).T
        compared = along(corners + self.features.origin)
        centre, step, reach = along(self.fixed.corners).mean(axis=0), STRIDE * voxel, REACH * voxel
        low = centre + step * np.floor((compared.min(axis=0) - reach - centre) / step)
        high = centre + step * np.ceil((compared.max(axis=0) + reach - centre) / step)
        box: FloatArray = np.stack([low, high]) @ axes.T
        return box


def first_pose(search: _core.PoseSearch) -> Pose:
    """The pose that a search starts about."""
    return Pose(search, search.draw(1, 0.0, 0.0, 0)[0])


def _parameters(poses: list[Pose]) -> list[list[float]]:
    return [pose.parameters for pose in poses]


def _contenders(optima: list[Pose], count: int, share: float) -> list[Pose]:
    """Those that may turn out best once refined: the best and at most `count` in all of nearly its value."""
    return [*optima[:1], *(pose for pose in optima[1:count] if pose.value <= share * optima[0].value)]


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
