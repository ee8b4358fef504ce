"""Registration in one call: global search over random starts, or local from one."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.errors import RegistrationError
from disa.images import ImageLike
from disa.linear_transforms import angle_between, linear_transform, matrix_and_offset, nearest_rotation
from disa.result import Optimum, RegistrationResult
from disa.sources import Source, open_source

FloatArray = npt.NDArray[np.float64]

KINDS = ("translation", "rigid", "similarity", "affine")

FIXED_STRIDE = 4
MOVING_STRIDE = 2
MOVING_RATIO = 2 / 5**0.5
"""Moving voxels by fixed ones in the stages that decide the accuracy, so that no two grids lock (README)."""

SMOOTHING = 12.0
"""Voxels; width of the kernel over the moving descriptors where a search begins."""

SEARCH_SAMPLES = 512
SEARCH_TOLERANCE = 0.5
SEARCH_ITERATIONS = 30
TOLERANCE = 0.01
ITERATIONS = 100
"""Fixed cells, mm and iterations of BFGS: for all starts, and for a pose that goes on."""

KEPT = 8
DISTINCT = 8.0
"""Optima that are kept, and mm between two that count as different."""

CONTENDERS = 3
CONTENTION = 0.9
"""At most so many optima are refined, those whose value is this share of the best one's or more."""

REORIENTATION = 3.0
"""Degrees of turn after which the moving descriptors are extracted anew."""

REACH = 6.0
"""Voxels about the fixed image's box within which moving descriptors are extracted once a pose is about known."""


def global_register(
    fixed: ImageLike | FeatureVolume,
    moving: ImageLike | FeatureVolume,
    *,
    initial_transform: sitk.Transform | None = None,
    transform: str = "rigid",
    starts: int = 500,
    rotation: float = 40.0,
    translation: float = 150.0,
    seed: int = 0,
    fixed_mask: ImageLike | None = None,
    moving_mask: ImageLike | None = None,
    model: str | os.PathLike[str] = "disa-lc2",
    spacing: float = 2.0,
    fine_spacing: float | None = None,
    providers: Sequence[str] | None = None,
    threads: int = 0,
) -> RegistrationResult:
    """Register from no good start: many random poses, each optimised, the best ones refined.

    Every start is optimised by BFGS with the analytic derivative over a few hundred fixed descriptors and smoothed
    moving ones. The best distinct ends go on over all fixed descriptors; those that come near the best are re-oriented
    (moving descriptors extracted on a grid parallel to the fixed one under that pose), refined with less and less
    smoothing, and the best is returned. The result is the same for a seed, whatever the number of threads.

    Args:
        fixed: SimpleITK image, ITK image, path, or its descriptors (int8).
        moving: the same. Descriptors that are given cannot be re-oriented, which costs accuracy.
        initial_transform: linear, from fixed to moving points; the starts lie about it. None: centre on centre.
        transform: translation, rigid, similarity or affine.
        starts: poses, the first of them the initial one.
        rotation: degrees about each axis, either way, that starts are drawn within.
        translation: mm along each axis, either way.
        seed: of the starts and the descriptors that are sampled.
        fixed_mask: image or path; only descriptors where it is not 0 are compared.
        moving_mask: image or path; descriptors where it is 0 count as outside of the moving image.
        model: name of a shipped model or path of an .onnx file.
        spacing: mm between the voxels that the network sees.
        fine_spacing: of a last stage; None: there is none.
        providers: ONNX Runtime execution providers, best first. None: CUDA where it is available, else the CPU.
        threads: of the search; 0: all that the processor runs.

    Raises:
        ImageError: an image, mask or spacing cannot be used.
        ModelError: the model or ONNX Runtime is missing or does not fit.
        RegistrationError: an option cannot be used, nothing overlaps, or a mask leaves nothing.

    Source: DISA paper, sections 3 and 4.3.
    """
    if starts < 1:
        raise RegistrationError(f"starts: expected 1 or more, got {starts}")
    _check_range("rotation", rotation, 180.0, "degrees")
    _check_range("translation", translation, math.inf, "mm")
    task = _Task.open(
        fixed, moving, initial_transform, transform, seed, fixed_mask, moving_mask, model, spacing, providers, threads
    )
    optima = task.search(starts, rotation, translation)
    best = min((task.refine(pose, (SMOOTHING / 2, SMOOTHING / 4)) for pose in task.contenders(optima)), key=_value)
    return task.finish(best, optima, fine_spacing)


def register(
    fixed: ImageLike | FeatureVolume,
    moving: ImageLike | FeatureVolume,
    *,
    initial_transform: sitk.Transform | None = None,
    transform: str = "rigid",
    fixed_mask: ImageLike | None = None,
    moving_mask: ImageLike | None = None,
    model: str | os.PathLike[str] = "disa-lc2",
    spacing: float = 2.0,
    fine_spacing: float | None = None,
    providers: Sequence[str] | None = None,
    threads: int = 0,
) -> RegistrationResult:
    """Register from one start, by the stages that end `global_register`.

    Args and errors are those of `global_register`; `optima` of the result holds the one pose.
    """
    task = _Task.open(
        fixed, moving, initial_transform, transform, 0, fixed_mask, moving_mask, model, spacing, providers, threads
    )
    best = task.refine(task.initial_pose, (SMOOTHING, SMOOTHING / 2, SMOOTHING / 4), everywhere=True)
    return task.finish(best, [best], fine_spacing)


@dataclass(frozen=True)
class _Pose:
    parameters: list[float]
    value: float


def _value(pose: _Pose) -> float:
    return pose.value


@dataclass
class _Task:
    """A registration under way."""

    fixed: Source
    moving: Source
    kind: str
    seed: int
    spacing: float
    threads: int
    poses: _core.PoseSearch
    evaluations: int = 0
    times: dict[str, float] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        fixed: ImageLike | FeatureVolume,
        moving: ImageLike | FeatureVolume,
        initial: sitk.Transform | None,
        kind: str,
        seed: int,
        fixed_mask: ImageLike | None,
        moving_mask: ImageLike | None,
        model: str | os.PathLike[str],
        spacing: float,
        providers: Sequence[str] | None,
        threads: int,
    ) -> _Task:
        """Read what there is and extract the fixed descriptors."""
        if kind not in KINDS:
            raise RegistrationError(f"transform: expected one of {', '.join(KINDS)}, got {kind}")
        if initial is not None:
            matrix, offset = matrix_and_offset(initial, "initial_transform")
        start = time.perf_counter()
        fixed_source = open_source(fixed, "fixed", fixed_mask, model, providers)
        moving_source = open_source(moving, "moving", moving_mask, model, providers)
        if initial is None:
            matrix = np.eye(3)
            offset = moving_source.corners.mean(axis=0) - fixed_source.corners.mean(axis=0)
        features = fixed_source.fixed_features(spacing, FIXED_STRIDE)
        task = cls(
            fixed_source,
            moving_source,
            kind,
            seed,
            spacing,
            threads,
            _core.PoseSearch(features, kind, matrix.ravel(), offset),
        )
        task.times["fixed descriptors"] = time.perf_counter() - start
        return task

    @property
    def initial_pose(self) -> _Pose:
        return _Pose(self.poses.draw(1, 0.0, 0.0, 0)[0], 0.0)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.times[stage] = self.times.get(stage, 0.0) + time.perf_counter() - start

    def search(self, starts: int, rotation: float, translation: float) -> list[_Pose]:
        """Distinct optima over random starts, the best first."""
        drawn = self.poses.draw(starts, rotation, translation, self.seed)
        with self.timed("moving descriptors"):
            wanted = self.parallel_axes(self.initial_pose)
            axes = nearest_axes(self.moving.axes, wanted)
            features = self.moving.moving_features(self.spacing, FIXED_STRIDE, axes)
            wide = self.moving.smooth(features, SMOOTHING * self.spacing)
            narrow = self.moving.smooth(features, SMOOTHING / 2 * self.spacing)
        with self.timed("search"):
            ends = self.optimize(
                drawn, wide, samples=SEARCH_SAMPLES, tolerance=SEARCH_TOLERANCE, iterations=SEARCH_ITERATIONS
            )
            return self.optimize([end.parameters for end in ends], narrow)

    def contenders(self, optima: list[_Pose]) -> list[_Pose]:
        """Those that may turn out best once refined."""
        return [pose for pose in optima[:CONTENDERS] if pose.value <= CONTENTION * optima[0].value]

    def optimize(
        self,
        starts: list[list[float]],
        moving: FeatureVolume,
        *,
        samples: int = 0,
        tolerance: float = TOLERANCE,
        iterations: int = ITERATIONS,
    ) -> list[_Pose]:
        """Ends of BFGS from each start, distinct ones, the best first. Raises RegistrationError without overlap."""
        stage = self.poses.optimize(
            starts,
            moving,
            samples=samples,
            tolerance=tolerance,
            iterations=iterations,
            keep=KEPT,
            distinct=DISTINCT,
            seed=self.seed,
            threads=self.threads,
        )
        self.evaluations += stage.evaluations
        if not stage.poses:
            where = "the initial transform" if len(starts) == 1 else f"any of {len(starts)} starts"
            raise RegistrationError(
                f"fixed and moving do not overlap under {where}; give an initial_transform that brings them together"
            )
        return [_Pose(pose.parameters, pose.value) for pose in stage.poses]

    def refine(
        self, pose: _Pose, smoothings: Sequence[float], voxel: float | None = None, everywhere: bool = False
    ) -> _Pose:
        """Optimise over moving descriptors that are parallel to the fixed ones, less and less smooth.

        Args:
            pose: to start from.
            smoothings: width of each step's kernel, voxels.
            voxel: mm; the task's spacing if None.
            everywhere: whether the first descriptors are of the whole moving image, not only about the fixed one.
        """
        voxel = voxel or self.spacing
        axes: FloatArray | None = None
        for smoothing in smoothings:
            with self.timed("re-oriented descriptors"):
                parallel = self.parallel_axes(pose)
                if axes is None or (self.moving.can_reorient and angle_between(axes, parallel) > REORIENTATION):
                    around = None if everywhere and axes is None else self.fixed_box(pose, REACH * voxel)
                    features = self.moving.moving_features(MOVING_RATIO * voxel, MOVING_STRIDE, parallel, around)
                    axes = parallel
                smooth = self.moving.smooth(features, smoothing * voxel)
            with self.timed("refinement"):
                pose = self.optimize([pose.parameters], smooth)[0]
        self.moving_end = smooth
        return pose

    def finish(self, best: _Pose, optima: list[_Pose], fine_spacing: float | None) -> RegistrationResult:
        """The fine stage, and all that is known of the result."""
        others = tuple(Optimum(self.to_transform(pose), pose.value) for pose in optima)
        if fine_spacing is not None and self.fixed.can_reorient:
            with self.timed("fixed descriptors"):
                features = self.fixed.fixed_features(fine_spacing, FIXED_STRIDE)
                self.poses = _core.PoseSearch(features, self.kind, *self.poses.map(best.parameters))
            best = self.refine(self.initial_pose, (SMOOTHING / 2, SMOOTHING / 4), fine_spacing)
        return RegistrationResult(
            transform=self.to_transform(best),
            value=best.value,
            overlap=self.poses.overlap(best.parameters, self.moving_end),
            optima=others,
            evaluations=self.evaluations,
            times=dict(self.times),
        )

    def matrix_and_offset(self, pose: _Pose) -> tuple[FloatArray, FloatArray]:
        matrix, offset = self.poses.map(pose.parameters)
        return np.asarray(matrix).reshape(3, 3), np.asarray(offset)

    def to_transform(self, pose: _Pose) -> sitk.Transform:
        return linear_transform(*self.matrix_and_offset(pose), np.asarray(self.poses.centre))

    def parallel_axes(self, pose: _Pose) -> FloatArray:
        """Axes of the fixed grid as they lie in the moving image under a pose."""
        return nearest_rotation(self.matrix_and_offset(pose)[0]) @ self.fixed.axes

    def fixed_box(self, pose: _Pose, reach: float) -> FloatArray:
        """Corners of the fixed image's box in the moving image under a pose, so many mm further out."""
        matrix, offset = self.matrix_and_offset(pose)
        axes = self.parallel_axes(pose)
        along = (self.fixed.corners @ matrix.T + offset) @ axes
        box: FloatArray = np.stack([along.min(axis=0) - reach, along.max(axis=0) + reach]) @ axes.T
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


def _check_range(name: str, value: float, largest: float, unit: str) -> None:
    if not (math.isfinite(value) and 0 <= value <= largest):
        limit = f"0 to {largest:g}" if math.isfinite(largest) else "0 or more"
        raise RegistrationError(f"{name}: expected {limit} {unit}, got {value}")
