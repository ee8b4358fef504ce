"""Deformable registration: an explicit search over displacements, then ITK's optimiser on a displacement field."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.checking import MAXIMUM_THREADS, check_stride, check_whole, is_finite
from disa.core import FeatureVolume, _core
from disa.deform.fields import Lattice, corner_determinants, sample, to_transform, without_folds
from disa.doors.simpleitk.method import ImageRegistrationMethod
from disa.errors import RegistrationError
from disa.features.extract import check_spacing
from disa.features.resampling import MARGIN, Grid, covering_grid
from disa.features.side import ImageSource
from disa.features.warping import (
    MovingImage,
    WarpedImage,
    at_cells_of,
    evened,
    on_lattice,
    overlap,
    rescaled,
    smooth,
    thinned,
    weighted_by,
)
from disa.geometry.linear import check_transform, matrix_and_offset
from disa.io.images import ImageLike, load_image
from disa.pose.result import RegistrationResult
from disa.timing import StageTimes

FloatArray = npt.NDArray[np.float64]

CONTROL_STRIDE = 4
"""Voxels between control points and between the nodes of the field: 8 mm at the default spacing, as in the paper."""

MOVING_STRIDE = 2
"""Voxels between moving descriptors in the fine stage."""

PADDING = 4
"""Nodes by which a field is continued beyond the lattice, for the fields that are composed with it."""

CONSISTENCY_ITERATIONS = 15

COUPLINGS = (4.5e-4, 1.5e-3, 4.5e-3, 1.5e-2, 4.5e-2, 1.5e-1)
"""Cost for each squared mm between a displacement and the smooth field, one for each pass. The numbers are 0.15 times
convexAdam's, which are for squared steps of its grid."""

FINE_RATIO = 2 / 5**0.5
SPARSE_RATIO = 5**0.5 / 2
"""Moving voxels by fixed ones in the fine stage, and where both have stride 4, so that no two grids lock (README)."""

FINE_SMOOTHING = 3.0
FINE_ITERATIONS = 20
FINE_STEP = 1.0
UPDATE_VARIANCE = 4.0
TOTAL_VARIANCE = 1.0
"""Of the fine stage: kernel over the moving descriptors, voxels; steps; the longest, mm; variances of the Gaussians
over its steps and over itself, squared nodes."""

PERCENTILES = (0, 1, 50, 99, 100)
"""Of the Jacobian determinants that a result names."""

MAXIMUM_POSITIONS = 2**26
"""Of the moving descriptors of a search, 128 bytes each: 8 GB."""


@dataclass(frozen=True, kw_only=True)
class DeformableResult(RegistrationResult):
    """A deformation and how well-behaved it is.

    Besides what `RegistrationResult` has. `transform` is a displacement field, then the initial transform where one was
    given. `trace` has the last stage's values from fixed to moving, over descriptors of unit length, so not comparable
    with a pose's; `value` is the last of them: before the last step, before the middle of both ways is taken and before
    folds are smoothed. `evaluations` are the iterations of that stage, both ways. There are no `optima`.

    Attributes:
        displacement_field: the field alone, x -> x + u(x) in the fixed image's space, linear between nodes.
        least_jacobian: least Jacobian determinant of the field over the corners of its cells.
        jacobian_percentiles: of the same determinants, by percent.
        folds: share of cells with a corner whose determinant is 0 or less.
    """

    displacement_field: sitk.DisplacementFieldTransform
    least_jacobian: float
    jacobian_percentiles: dict[int, float]
    folds: float

    @property
    def doubts(self) -> list[str]:
        """What speaks against the result, a sentence each; empty if nothing does."""
        found = [f"Under the deformation: {doubt}" for doubt in self._doubts_of_overlap]
        if self.folds > 0:
            found.append(
                f"The deformation folds in {100 * self.folds:.2g} % of its cells, where it has no inverse "
                f"(least Jacobian determinant {self.least_jacobian:.2g})."
            )
        return found

    def _rows(self) -> dict[str, str]:
        return {
            "nodes of the field": " x ".join(map(str, self.displacement_field.GetDisplacementField().GetSize())),
            "value": f"{self.value:.4f}",
            "overlap": f"{100 * self.overlap:.0f} %",
            "folded cells": f"{100 * self.folds:.2g} %",
        }


def deformable_register(
    fixed: ImageLike,
    moving: ImageLike,
    *,
    initial_transform: sitk.Transform | None = None,
    stride: int = 2,
    radius: float = 24.0,
    fixed_mask: ImageLike | None = None,
    moving_mask: ImageLike | None = None,
    fixed_weights: ImageLike | None = None,
    fold_free: bool = False,
    inverse_consistent: bool = True,
    model: str | os.PathLike[str] = "disa-lc2",
    spacing: float = 2.0,
    providers: Sequence[str] | None = None,
    threads: int = 0,
) -> DeformableResult:
    """Register two images that a rigid transform does not bring together.

    Displacements of control points 4 voxels (8 mm) apart are searched for explicitly, in steps of as much, or of half
    as much with descriptors of stride 2 or 1, and smoothed under an increasing weight. The moving image is then seen
    through that field, and ITK's gradient descent lowers the metric over a further displacement field, with Gaussian
    smoothing of its steps and of itself. The result does not depend on `threads`. No cost is kept: a search holds 64
    bytes for each step of the volume, twice that while it is set up.

    Args:
        fixed: SimpleITK image, ITK image, or path.
        moving: the same.
        initial_transform: from fixed to moving points, linear or not; None: the images share their world space.
        stride: voxels between descriptors: 4, 2 or 1. They are averaged over 4 voxels, so 2 and 1 are more accurate.
            With 4 the moving image goes through the network once and is not seen through the search's field; fastest.
        radius: mm, the largest displacement along each axis of the first search; rounded down to its steps.
        fixed_mask: image or path; only descriptors where it is not 0 are compared.
        moving_mask: image or path; descriptors where it is 0 count as outside of the moving image.
        fixed_weights: image or path, 0 or more, read linearly between voxels; how much each place of the fixed image is
            to count, keypoints for example, on top of its local variance. 0 outside of it.
        fold_free: smooth the field about its folds until there are none.
        inverse_consistent: register from moving to fixed, too, and take the middle. The paper does not; without it the
            field contracts, for what lies inside of a body is more alike to its border than what lies outside.
        model: name of a shipped model or path of an .onnx file.
        spacing: mm between the voxels that the network sees.
        providers: ONNX Runtime execution providers, best first. None: CUDA, OpenVINO or the CPU, as is available.
        threads: of the search; 0: all that the processor runs.

    Raises:
        ImageError: an image, mask or spacing cannot be used.
        ModelError: the model or ONNX Runtime is missing or does not fit.
        RegistrationError: an option cannot be used, nothing overlaps, a mask leaves nothing, or memory would not do.

    Source: DISA paper, section 4.2; Heinrich et al., Non-parametric discrete registration with convex optimisation,
    WBIR 2014.
    """
    check_stride(stride)
    check_spacing(spacing)
    check_whole("threads", threads, 0, MAXIMUM_THREADS)
    if not is_finite(radius) or radius < CONTROL_STRIDE * spacing:
        raise RegistrationError(
            f"radius: expected one step of the search, {CONTROL_STRIDE * spacing:g} mm, or more, got {radius} mm"
        )
    task = _Task.open(
        fixed, moving, initial_transform, stride, fixed_mask, moving_mask, model, spacing, providers, threads
    )
    if fixed_weights is not None:
        task.features = weighted_by(task.features, load_image(fixed_weights, "fixed_weights"))
    task.search(max(stride, CONTROL_STRIDE // 2), radius, inverse_consistent)
    task.refine(inverse_consistent)
    return task.finish(fold_free)


@dataclass
class _Task:
    """A registration under way: the field found so far is the composition of `parts`, the last one applied first.

    `seen` are moving descriptors under the initial transform that serve all stages, and `backward` is the search's
    field from moving to fixed, where there are such.
    """

    fixed: sitk.Image
    moving: MovingImage
    initial: sitk.Transform | None
    grid: Grid
    features: FeatureVolume
    stride: int
    threads: int
    couplings: Sequence[float] = COUPLINGS
    parts: list[sitk.DisplacementFieldTransform] = field(default_factory=list)
    times: StageTimes = field(default_factory=StageTimes)
    trace: list[float] = field(default_factory=list)
    evaluations: int = 0
    seen: FeatureVolume | None = None
    backward: sitk.DisplacementFieldTransform | None = None

    @classmethod
    def open(
        cls,
        fixed: ImageLike,
        moving: ImageLike,
        initial: sitk.Transform | None,
        stride: int,
        fixed_mask: ImageLike | None,
        moving_mask: ImageLike | None,
        model: str | os.PathLike[str],
        spacing: float,
        providers: Sequence[str] | None,
        threads: int,
    ) -> _Task:
        """Read what there is and extract the fixed descriptors."""
        times = StageTimes()
        with times.timed("fixed descriptors"):
            source = ImageSource(fixed, "fixed", fixed_mask, model, providers)
            features = source.fixed_features(spacing, stride)
            warped = WarpedImage(moving, moving_mask, model, providers, spacing)
        if initial is not None:
            check_transform(initial, "initial_transform")
        grid = covering_grid(source.image, spacing)
        return cls(source.image, warped, initial, grid, features, stride, threads, times=times)

    @property
    def extracts_once(self) -> bool:
        """Whether the moving image goes through the network once only, which is faster and less accurate."""
        return self.stride == CONTROL_STRIDE

    @functools.cached_property
    def samples(self) -> FeatureVolume:
        """The fixed descriptors of stride 4, which are among those of every stride."""
        return thinned(self.features, CONTROL_STRIDE // self.stride)

    @property
    def lattice(self) -> Lattice:
        """Of the control points, which are the cells of stride 4."""
        z, y, x = self.samples.weights.shape
        axes = np.asarray(self.samples.direction).reshape(3, 3)
        return Lattice((x, y, z), np.asarray(self.samples.origin), self.samples.spacing[0], axes)

    @property
    def transform(self) -> sitk.Transform:
        """From fixed to moving points, as found so far."""
        parts = [*([] if self.initial is None else [self.initial]), *self.parts]
        return sitk.CompositeTransform(parts) if parts else sitk.Transform(3, sitk.sitkIdentity)

    def search(self, step: int, radius: float, inverse_consistent: bool) -> None:
        """Search in steps of so many voxels, within so many mm."""
        steps = int(radius / (step * self.grid.spacing) + 1e-6)
        ratio = CONTROL_STRIDE // step
        positions = math.prod((n - 1) * ratio + 1 + 2 * steps for n in self.lattice.size)
        if positions > MAXIMUM_POSITIONS:
            need = f"{positions * 128 / 2**30:.0f} GB"
            raise RegistrationError(
                f"radius: {radius:g} mm in steps of {step * self.grid.spacing:g} mm need {need}; "
                "use a larger spacing, a smaller radius or crop the fixed image"
            )
        with self.times.timed("moving descriptors"):
            grid = self.search_grid(steps * step)
            if self.extracts_once:
                self.seen = self.moving.features(
                    rescaled(grid, SPARSE_RATIO), self.stride, self.transform, inverse_consistent
                )
                moving = on_lattice(self.seen, grid, self.stride)
            else:
                moving = self.moving.features(grid, self.stride, self.transform)
            if not moving.weights.any():
                raise _no_overlap()
        with self.times.timed("search"):
            forward = self.displacements(self.features, moving, step, steps)
            if inverse_consistent:
                seen = at_cells_of(self.features, moving)
                forward, backward = self.middle(forward, self.displacements(seen, self.features, step, steps))
                self.backward = to_transform(backward, self.lattice, PADDING)
            self.parts.append(to_transform(forward, self.lattice, PADDING))

    def displacements(self, fixed: FeatureVolume, moving: FeatureVolume, step: int, steps: int) -> FloatArray:
        """The smooth field of one search, mm along the lattice's axes, shape (z, y, x, 3)."""
        length = step * self.grid.spacing
        search = _core.DisplacementSearch(
            fixed,
            moving,
            control_spacing=CONTROL_STRIDE // self.stride,
            step=step // self.stride,
            radius=steps,
            threads=self.threads,
        )
        found: FloatArray = length * search.run([c * length**2 for c in self.couplings]).astype(np.float64)
        return found

    def middle(self, forward: FloatArray, backward: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Two fields that are each other's inverse, found from a pair by halving what is left.

        Source: Heinrich et al., WBIR 2014, section 2.4.
        """
        for _ in range(CONSISTENCY_ITERATIONS):
            there, back = (to_transform(field, self.lattice, PADDING) for field in (forward, backward))
            leftover = sample(sitk.CompositeTransform([back, there]), self.lattice)
            backward = backward - 0.5 * sample(sitk.CompositeTransform([there, back]), self.lattice)
            forward = forward - 0.5 * leftover
        return forward, backward

    def search_grid(self, pad: int) -> Grid:
        """The fixed grid, so many voxels larger on every side but not beyond the moving image, on the same lattice."""
        grid = self.grid
        first = np.full(3, -pad)
        last = np.asarray(grid.size) - 1 - 2 * MARGIN + pad
        if self.initial is None or self.initial.IsLinear():
            corners = self.moving.corners
            if self.initial is not None:
                matrix, offset = matrix_and_offset(self.initial, "initial_transform")
                corners = (corners - offset) @ np.linalg.inv(matrix).T
            index = (corners - grid.origin) @ grid.direction / grid.spacing - MARGIN
            first = np.maximum(first, np.floor(index.min(axis=0)))
            last = np.minimum(last, np.ceil(index.max(axis=0)))
        first = CONTROL_STRIDE * np.floor(first / CONTROL_STRIDE)
        last = CONTROL_STRIDE * np.ceil(last / CONTROL_STRIDE)
        if (last <= first).any():
            raise _no_overlap()
        x, y, z = (int(n) + 1 + 2 * MARGIN for n in last - first)
        return Grid((x, y, z), grid.origin + grid.direction @ (first * grid.spacing), grid.spacing, grid.direction)

    def refine(self, inverse_consistent: bool) -> None:
        """Lower the metric over a displacement field that is added to the one found so far."""
        start: sitk.DisplacementFieldTransform | None = None
        if self.seen is not None:
            moving, start = self.seen, self.parts.pop()
        else:
            with self.times.timed("moving descriptors"):
                moving = self.moving.features(
                    rescaled(self.grid, FINE_RATIO), MOVING_STRIDE, self.transform, inverse_consistent
                )
                if not moving.weights.any():
                    raise _no_overlap()
        with self.times.timed("refinement"):
            found, self.trace = self.descend(self.samples, moving, start)
            self.evaluations = len(self.trace)
            if inverse_consistent:
                cells = thinned(moving, max(1, CONTROL_STRIDE // MOVING_STRIDE)) if start is None else moving
                dense = thinned(self.features, max(1, MOVING_STRIDE // self.stride))
                back, trace = self.descend(cells, dense, None if start is None else self.backward)
                self.evaluations += len(trace)
                found, _ = self.middle(found, back)
            self.parts.append(to_transform(found, self.lattice, PADDING))

    def descend(
        self,
        fixed: FeatureVolume,
        moving: FeatureVolume,
        start: sitk.DisplacementFieldTransform | None,
    ) -> tuple[FloatArray, list[float]]:
        """Displacements at the lattice's nodes that ITK's gradient descent finds from some, or none, and its values."""
        trace: list[float] = []
        lattice = self.lattice
        x, y, z = lattice.size
        displacement = to_transform(np.zeros((z, y, x, 3)), lattice)
        displacement.SetSmoothingGaussianOnUpdate(UPDATE_VARIANCE, TOTAL_VARIANCE)
        method = ImageRegistrationMethod()
        method.SetMetricAsDISA(smoothing=0.0)
        method.SetMetricFixedFeatures(evened(fixed))
        method.SetMetricMovingFeatures(evened(smooth(moving, FINE_SMOOTHING * self.grid.spacing)))
        method.SetOptimizerAsGradientDescent(
            learningRate=1.0,
            numberOfIterations=FINE_ITERATIONS,
            estimateLearningRate=method.EachIteration,
            maximumStepSizeInPhysicalUnits=FINE_STEP,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetVirtualDomain(
            lattice.size, lattice.origin.tolist(), (lattice.spacing,) * 3, lattice.axes.ravel().tolist()
        )
        if start is not None:
            method.SetMovingInitialTransform(start)  # type: ignore[no-untyped-call]
        method.SetInitialTransform(displacement, inPlace=True)
        method.AddCommand(sitk.sitkIterationEvent, lambda: trace.append(method.GetMetricValue()))
        method.Execute(self.fixed, self.fixed)
        return sample(displacement if start is None else sitk.CompositeTransform([start, displacement]), lattice), trace

    def finish(self, fold_free: bool) -> DeformableResult:
        """One field for all parts, and what is known of it."""
        with self.times.timed("composition"):
            lattice = self.lattice
            displacements = sample(sitk.CompositeTransform(self.parts), lattice)
            if fold_free:
                displacements = without_folds(displacements, lattice.spacing)
            determinants = corner_determinants(displacements, lattice.spacing)
            found = to_transform(displacements, lattice, 1)
            transform = found if self.initial is None else sitk.CompositeTransform([self.initial, found])
            inside = overlap(self.samples, self.moving.inside, transform)
        return DeformableResult(
            transform=transform,
            value=self.trace[-1],
            overlap=inside,
            optima=(),
            evaluations=self.evaluations,
            times=dict(self.times),
            trace=(tuple(self.trace),),
            displacement_field=found,
            least_jacobian=float(determinants.min()),
            jacobian_percentiles=dict(zip(PERCENTILES, np.percentile(determinants, PERCENTILES).tolist(), strict=True)),
            folds=float((determinants <= 0).any(axis=-1).mean()),
        )


def _no_overlap() -> RegistrationError:
    return RegistrationError(
        "fixed and moving do not overlap under the initial transform; give an initial_transform, such as "
        "disa.global_register's, that brings them together"
    )
