# SPDX-License-Identifier: Apache-2.0
"""`disa.ImageRegistrationMethod`: SimpleITK's registration method with one more metric."""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import SimpleITK as sitk

from disa.checking import is_finite
from disa.core import FeatureVolume
from disa.doors.settings import lists_settings
from disa.doors.simpleitk.compiled import _engine
from disa.doors.simpleitk.settings import RecordedRegistrationMethod
from disa.doors.simpleitk.transforms import HeldTransform, describe_transform, downcast, update_transform
from disa.errors import ImageError, ImageTypeError, RegistrationError
from disa.features.extractor import MetricExtractor
from disa.features.mask_place import check_mask_place
from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of
from disa.io.gate import check_place, scalar_of
from disa.network.models import find_model

_EVENTS = {
    sitk.sitkAnyEvent: "Any",
    sitk.sitkAbortEvent: "Abort",
    sitk.sitkDeleteEvent: "Delete",
    sitk.sitkEndEvent: "End",
    sitk.sitkIterationEvent: "Iteration",
    sitk.sitkMultiResolutionIterationEvent: "MultiResolutionIteration",
    sitk.sitkProgressEvent: "Progress",
    sitk.sitkStartEvent: "Start",
    sitk.sitkUserEvent: "User",
}


@dataclass(frozen=True)
class DISAMetric:
    """What `SetMetricAsDISA` was given; `disa.doors.settings` says what each is."""

    model: str
    spacing: float | None
    fixed_stride: int
    moving_stride: int
    reorientation_angle: float
    weighting: bool
    smoothing: tuple[float, ...]
    providers: tuple[str, ...]
    extractor: MetricExtractor = field(repr=False)

    def settings(self) -> _engine.MetricSettings:
        """The same as the engine takes it."""
        metric = _engine.MetricSettings()
        metric.model = self.model
        metric.voxel_spacing = self.spacing
        metric.fixed_stride = self.fixed_stride
        metric.moving_stride = self.moving_stride
        metric.reorientation_angle = self.reorientation_angle
        metric.smoothing = list(self.smoothing)
        metric.providers = list(self.providers)
        metric.set_extractor(self.extractor)
        return metric


@dataclass(frozen=True)
class _Results:
    """What SimpleITK's getters still answer after a run."""

    iteration: int
    metric_value: float
    number_of_valid_points: int
    progress: float
    stop_condition_description: str


class ImageRegistrationMethod(RecordedRegistrationMethod):
    """`SimpleITK.ImageRegistrationMethod` with `SetMetricAsDISA`.

    With any other metric it is SimpleITK's own. With DISA, the same ITK registration method runs in this package's
    library, set up in every respect as SimpleITK does: optimisers, scales, levels, samples, masks, commands and
    transforms keep their meaning. Differences that help: images may be of any and of unequal real pixel types, an
    exception of a command leaves `Execute` as it is, Ctrl-C ends a run between iterations, and so does `Abort`, by a
    `RegistrationError`. Images are 3-D. B-splines are of order 3.

    In place, a run changes the transform that was set, until that is changed by someone else, as in SimpleITK. What
    `sitk.Transform(transform)`, `GetInitialTransform` and an earlier `Execute` have returned stays as it was; in
    SimpleITK they are one object with the transform, and a run changes them all.
    """

    def __init__(self) -> None:
        super().__init__()
        self._disa: DISAMetric | None = None
        self._fixed_features: FeatureVolume | None = None
        self._moving_features: FeatureVolume | None = None
        self._commands: list[tuple[int, Callable[[], Any]]] = []
        self._initial: sitk.Transform | None = None  # the user's own object
        self._held: HeldTransform | None = None  # what a run changes in place
        self._engine: _engine.RegistrationEngine | None = None  # while it runs
        self._results: _Results | None = None  # of the last run
        self._running = threading.Lock()  # held while Execute runs
        self._own_runs = False  # while SimpleITK's part of this object runs

    # Metrics

    @lists_settings
    def SetMetricAsDISA(
        self,
        model: str | os.PathLike[str] = "disa-lc2",
        spacing: float | None = None,
        fixed_stride: int = 4,
        moving_stride: int = 2,
        reorientation_angle: float = 3.0,
        weighting: bool = True,
        smoothing: float | Sequence[float] | None = None,
        providers: Sequence[str] = (),
    ) -> None:
        """Use the inner product of CNN descriptors, -1 to 1, lower is better.

        Args:
            {settings}

        Raises:
            ModelError: there is no such model with these strides.
            RegistrationError: a number is out of its range.

        Source: Ronchetti et al., DISA, MICCAI 2023, Eq. 2.
        """
        sigmas = () if smoothing is None else tuple(smoothing) if isinstance(smoothing, Sequence) else (smoothing,)
        for label, value in (("reorientation_angle", reorientation_angle), *(("smoothing", s) for s in sigmas)):
            if not (is_finite(value) and value >= 0):
                raise RegistrationError(f"{label}: expected 0 or more, got {value}")
        if isinstance(providers, str):
            raise RegistrationError(f"providers: expected a list of names, got the text {providers!r}")
        for provider in providers:
            if not isinstance(provider, str):
                raise RegistrationError(f"providers: expected a list of names, got {provider!r} among them")
        if spacing is not None and not (is_finite(spacing) and spacing > 0):
            raise RegistrationError(f"spacing: expected mm above 0, got {spacing}")
        for stride in (fixed_stride, moving_stride):
            find_model(model, stride)
        self._disa = DISAMetric(
            os.fspath(model),
            spacing,
            fixed_stride,
            moving_stride,
            reorientation_angle,
            weighting,
            sigmas,
            tuple(providers),
            MetricExtractor(reorientation_angle, weighting),
        )

    def SetMetricFixedFeatures(self, features: FeatureVolume | None) -> None:
        """Ready-made fixed descriptors for DISA; None: extract them.

        Raises:
            TypeError: it is no feature volume.
        """
        self._fixed_features = _checked_features(features, "SetMetricFixedFeatures")

    def SetMetricMovingFeatures(self, features: FeatureVolume | None) -> None:
        """Ready-made moving descriptors for DISA, neither smoothed nor re-oriented; None: extract them.

        Raises:
            TypeError: it is no feature volume.
        """
        self._moving_features = _checked_features(features, "SetMetricMovingFeatures")

    def SetMetricAsANTSNeighborhoodCorrelation(self, radius: int) -> None:
        """As SimpleITK's."""
        super().SetMetricAsANTSNeighborhoodCorrelation(radius)
        self._disa = None

    def SetMetricAsCorrelation(self) -> None:
        """As SimpleITK's."""
        super().SetMetricAsCorrelation()
        self._disa = None

    def SetMetricAsDemons(self, intensityDifferenceThreshold: float = 0.001) -> None:
        """As SimpleITK's."""
        super().SetMetricAsDemons(intensityDifferenceThreshold)
        self._disa = None

    def SetMetricAsJointHistogramMutualInformation(
        self, numberOfHistogramBins: int = 20, varianceForJointPDFSmoothing: float = 1.5
    ) -> None:
        """As SimpleITK's."""
        super().SetMetricAsJointHistogramMutualInformation(numberOfHistogramBins, varianceForJointPDFSmoothing)
        self._disa = None

    def SetMetricAsMeanSquares(self) -> None:
        """As SimpleITK's."""
        super().SetMetricAsMeanSquares()
        self._disa = None

    def SetMetricAsMattesMutualInformation(self, numberOfHistogramBins: int = 50) -> None:
        """As SimpleITK's."""
        super().SetMetricAsMattesMutualInformation(numberOfHistogramBins)
        self._disa = None

    # Transforms

    def SetInitialTransform(self, transform: sitk.Transform, inPlace: bool = True) -> None:
        """As SimpleITK's: in place, the transform itself is optimised."""
        super().SetInitialTransform(transform, inPlace)
        self._settings.spline_scale_factors = []
        self._initial = transform

    def SetInitialTransformAsBSpline(
        self, transform: sitk.BSplineTransform, inPlace: bool = True, scaleFactors: Sequence[int] = ()
    ) -> None:
        """As SimpleITK's: each level multiplies the mesh by its factor; 0: as it is."""
        super().SetInitialTransformAsBSpline(transform, inPlace, scaleFactors)
        self._settings.spline_scale_factors = [int(factor) for factor in scaleFactors]
        self._initial = transform

    def GetInitialTransform(self) -> sitk.Transform:
        """As SimpleITK's; during a run in place, as it is now."""
        if self._held is not None and self._held.given is self._initial:
            return self._held.copy()
        return super().GetInitialTransform()

    # Execution

    def Execute(self, fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
        """Register two images.

        Args:
            fixed: 3-D, one real number a voxel, of any pixel type.
            moving: the same; its pixel type may differ.

        Returns:
            The transform from fixed to moving points: the initial one if in place, else a composite with its copy.

        Raises:
            ImageError: an image or a mask cannot be used.
            ModelError: the network cannot be run.
            RegistrationError: the settings do not fit each other, the registration failed, or a run is under way.
        """
        if not self._running.acquire(blocking=False):
            raise _busy("Execute")
        try:
            metric = self._engine_metric()
            return self._execute_own(fixed, moving) if metric is None else self._execute(fixed, moving, metric)
        finally:
            self._running.release()

    def _execute_own(self, fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
        """SimpleITK's run. What its getters answer is kept, for `MetricEvaluate` spoils it (2.5 crashes)."""
        if not self._settings.optimizer.name:  # SimpleITK takes one by whatever its memory holds
            raise RegistrationError("no optimiser is set; call one of the SetOptimizerAs methods")
        before = super().GetOptimizerStopConditionDescription()
        self._own_runs = True
        try:
            result = super().Execute(fixed, moving)
        except BaseException:
            if super().GetOptimizerStopConditionDescription() != before:  # else it failed before its first iteration
                self._results = self._own_results()
            raise
        finally:
            self._own_runs = False
        self._results = self._own_results()
        return result

    def _own_results(self) -> _Results:
        return _Results(
            int(super().GetOptimizerIteration()),
            float(super().GetMetricValue()),
            int(super().GetMetricNumberOfValidPoints()),
            float(super().GetProgress()),
            str(super().GetOptimizerStopConditionDescription()),
        )

    def _execute(self, fixed: sitk.Image, moving: sitk.Image, metric: _engine.MetricSettings) -> sitk.Transform:
        """The engine's run."""
        initial = super().GetInitialTransform()
        if len(initial.GetParameters()) == 0:
            raise RegistrationError("the initial transform has nothing to optimise; call SetInitialTransform")
        settings = self._engine_settings(fixed, moving, metric, initial)
        self._engine = _engine.RegistrationEngine(settings)
        self._held = HeldTransform(initial, self._initial) if self.GetInitialTransformInPlace() else None
        try:
            for event, command in self._commands:
                self._observe(event, command)
            self._engine.run()
        except BaseException as error:
            self._end_run(str(error))
            raise
        found = self._end_run(self._engine.get_stop_condition_description())
        if self.GetInitialTransformInPlace():
            return downcast(self.GetInitialTransform())
        result = downcast(initial)
        update_transform(result, found)
        return sitk.CompositeTransform([result])

    def MetricEvaluate(self, fixed: sitk.Image, moving: sitk.Image) -> float:
        """The metric's value under the initial transforms; as SimpleITK's, regardless of levels and sampling.

        Raises:
            ImageError: an image or a mask cannot be used.
            ModelError: the network cannot be run.
            RegistrationError: the settings do not fit each other, the images do not overlap, or a run is under way.
        """
        if self._running.locked():
            raise _busy("MetricEvaluate")
        metric = self._engine_metric()
        if metric is None:
            return float(super().MetricEvaluate(fixed, moving))
        settings = self._engine_settings(fixed, moving, metric, super().GetInitialTransform())
        if not settings.optimizer.name:
            settings.optimizer = _any_optimizer()
        return _engine.RegistrationEngine(settings).evaluate()

    def _end_run(self, description: str) -> _engine.TransformDescription:
        """Keep what getters answer from now on, hand back the transform, and let the engine go."""
        engine = self._engine
        assert engine is not None
        self._results = _Results(
            engine.get_iteration(),
            engine.get_metric_value(),
            engine.get_number_of_valid_points(),
            engine.get_progress(),
            description,
        )
        found = engine.get_transform()
        if self._held is not None:
            result = self._held.update(found)
            if self._held.given is self._initial:
                self._share(result)
        self._engine = self._held = None
        return found

    def _share(self, result: sitk.Transform) -> None:
        """Let SimpleITK's part of this object have the transform too, as it would if it had run."""
        if self._settings.spline_scale_factors:
            super().SetInitialTransformAsBSpline(result, True, self._settings.spline_scale_factors)
        else:
            super().SetInitialTransform(result, True)

    def _engine_metric(self) -> _engine.MetricSettings | None:
        """The metric that the engine is to run; None: SimpleITK runs its own."""
        if self._disa is None:
            return None
        metric = self._disa.settings()
        metric.set_fixed_features(self._fixed_features)
        metric.set_moving_features(self._moving_features)
        return metric

    def _engine_settings(
        self, fixed: sitk.Image, moving: sitk.Image, metric: _engine.MetricSettings, initial: sitk.Transform
    ) -> _engine.RegistrationSettings:
        own = self._settings
        settings = _engine.RegistrationSettings()
        settings.fixed = _engine_image(fixed, "fixed image")
        settings.moving = _engine_image(moving, "moving image")
        settings.fixed_mask = _engine_mask(own.fixed_mask, fixed, "fixed")
        settings.moving_mask = _engine_mask(own.moving_mask, moving, "moving")
        settings.initial = describe_transform(initial, "initial transform")
        settings.fixed_initial = _engine_transform(self.GetFixedInitialTransform(), "fixed initial transform")
        settings.moving_initial = _engine_transform(self.GetMovingInitialTransform(), "moving initial transform")
        settings.spline_scale_factors = own.spline_scale_factors
        settings.virtual_domain = _engine_domain(own.virtual_domain)
        settings.metric = metric
        settings.optimizer.name = own.optimizer.name
        settings.optimizer.numbers = own.optimizer.numbers
        settings.optimizer.number_of_steps = own.number_of_steps
        settings.scales.estimator = own.scales_estimator.name
        settings.scales.numbers = own.scales_estimator.numbers
        settings.scales.scales = own.scales
        settings.weights = list(self.GetOptimizerWeights())
        settings.shrink_factors = own.shrink_factors
        settings.smoothing_sigmas = own.smoothing_sigmas
        settings.sigmas_are_in_physical_units = own.sigmas_are_in_physical_units
        settings.sampling_strategy = own.sampling_strategy
        settings.sampling_percentages = own.sampling_percentages
        settings.sampling_seed = own.sampling_seed
        settings.use_fixed_gradient_filter = own.use_fixed_gradient_filter
        settings.use_moving_gradient_filter = own.use_moving_gradient_filter
        settings.number_of_work_units = self.GetNumberOfWorkUnits() or self.GetNumberOfThreads()
        return settings

    # Commands

    def AddCommand(self, event: int, command: sitk.Command | Callable[[], Any]) -> int:
        """As SimpleITK's; during a run, from now on."""
        answer = int(super().AddCommand(event, command))
        self._commands.append((event, _to_callable(command)))
        if self._engine is not None:
            self._observe(*self._commands[-1])
        return answer

    def RemoveAllCommands(self) -> None:
        """As SimpleITK's; during a run, from now on."""
        super().RemoveAllCommands()
        self._commands.clear()
        if self._engine is not None:
            self._engine.remove_all_observers()

    def _observe(self, event: int, command: Callable[[], Any]) -> None:
        method = weakref.ref(self)

        def call() -> None:
            running = method()
            if running is not None:
                running._update_held()
            command()

        assert self._engine is not None
        self._engine.add_observer(_EVENTS[event], call)

    def _update_held(self) -> None:
        if self._engine is not None and self._held is not None:
            self._held.update(self._engine.get_transform())

    def StopRegistration(self) -> bool:
        """As SimpleITK's: end at this iteration; False if the optimiser cannot, or nothing runs."""
        return bool(super().StopRegistration()) if self._engine is None else self._engine.stop()

    def Abort(self) -> None:
        """End a run with DISA at this iteration: an AbortEvent, and `Execute` raises RegistrationError."""
        if self._engine is None:
            super().Abort()
        else:
            self._engine.abort()

    # What is measured

    def _last_results(self, name: str) -> _Results | None:
        """What the last run left; None: ask SimpleITK, whose run is under way.

        Raises:
            RegistrationError: nothing has run, so SimpleITK would answer whatever its memory holds.
        """
        if self._own_runs:
            return None
        if self._results is None:
            raise RegistrationError(f"{name}: nothing has been registered yet; call Execute first")
        return self._results

    def GetOptimizerIteration(self) -> int:
        """As SimpleITK's: now, or at the end of the last run. RegistrationError before the first."""
        if self._engine is not None:
            return self._engine.get_iteration()
        last = self._last_results("GetOptimizerIteration")
        return last.iteration if last else int(super().GetOptimizerIteration())

    def GetMetricValue(self) -> float:
        """As SimpleITK's: now, or at the end of the last run. RegistrationError before the first."""
        if self._engine is not None:
            return self._engine.get_metric_value()
        last = self._last_results("GetMetricValue")
        return last.metric_value if last else float(super().GetMetricValue())

    def GetMetricNumberOfValidPoints(self) -> int:
        """As SimpleITK's: now, or at the end of the last run. RegistrationError before the first."""
        if self._engine is not None:
            return self._engine.get_number_of_valid_points()
        last = self._last_results("GetMetricNumberOfValidPoints")
        return last.number_of_valid_points if last else int(super().GetMetricNumberOfValidPoints())

    def GetOptimizerStopConditionDescription(self) -> str:
        """As SimpleITK's: now, or at the end of the last run; empty before the first."""
        if self._engine is not None:
            return self._engine.get_stop_condition_description()
        if self._results is None or self._own_runs:
            return str(super().GetOptimizerStopConditionDescription())
        return self._results.stop_condition_description

    def GetProgress(self) -> float:
        """As SimpleITK's: now, or at the end of the last run; 0 before the first."""
        if self._engine is not None:
            return self._engine.get_progress()
        if self._results is None or self._own_runs:
            return float(super().GetProgress())
        return self._results.progress

    def GetOptimizerPosition(self) -> tuple[float, ...]:
        """As SimpleITK's: the parameters now; empty if nothing runs."""
        if self._engine is not None:
            return tuple(self._engine.get_position())
        return tuple(super().GetOptimizerPosition())

    def GetOptimizerScales(self) -> tuple[float, ...]:
        """As SimpleITK's: the scales that were set, or during a run those that the estimator found."""
        if self._engine is not None and self._settings.scales_estimator.name:
            return tuple(self._engine.get_scales())
        return tuple(super().GetOptimizerScales())

    def GetOptimizerLearningRate(self) -> float:
        """As SimpleITK's: now; 0 if nothing runs."""
        return float(super().GetOptimizerLearningRate()) if self._engine is None else self._engine.get_learning_rate()

    def GetOptimizerConvergenceValue(self) -> float:
        """As SimpleITK's: now; 0 if nothing runs."""
        if self._engine is not None:
            return self._engine.get_convergence_value()
        return float(super().GetOptimizerConvergenceValue())

    def GetCurrentLevel(self) -> int:
        """As SimpleITK's: the level now, from 0."""
        return int(super().GetCurrentLevel()) if self._engine is None else self._engine.get_current_level()

    def __str__(self) -> str:
        text = str(super().__str__())
        if self._disa is not None:
            text += f"  Metric: {self._disa}\n"
        if self._engine is not None:
            text += f"  ActiveOptimizer:\n{self._engine}\n"
        return text


def _engine_image(image: sitk.Image, name: str) -> _engine.FloatImage:
    _check_image(image, name)
    pixels = sitk.GetArrayFromImage(scalar_of(image)).astype(np.float32, copy=False)
    return _engine.FloatImage(pixels, Grid.of(image))


def _engine_mask(mask: sitk.Image | None, image: sitk.Image, role: str) -> _engine.MaskImage | None:
    """Inside is what is not 0 as a whole number, as in SimpleITK, which casts masks to 8 bits; 256 is not 0."""
    if mask is None or mask.GetNumberOfPixels() == 0:
        return None
    name = f"{role} mask"
    _check_image(mask, name)
    values = pixels_of(scalar_of(mask))
    if np.isnan(values).any():
        raise ImageError(f"{name}: expected numbers, found NaN, which is neither inside nor outside; write 0 or 1")
    inside = np.trunc(values).astype(bool).astype(np.uint8)
    grid = Grid.of(mask)
    check_mask_place(grid.image_of(inside), Grid.of(image), name, f"{role} image")
    return _engine.MaskImage(inside, grid)


def _checked_features(features: Any, name: str) -> FeatureVolume | None:
    if features is not None and not isinstance(features, FeatureVolume):
        raise ImageTypeError(f"{name}: expected a disa.FeatureVolume or None, got {type(features).__name__}")
    return features


def _check_image(image: Any, name: str) -> None:
    if not isinstance(image, sitk.Image):
        raise ImageTypeError(f"{name}: expected a SimpleITK.Image, got {type(image).__name__}; convert it first")
    if image.GetDimension() != 3:
        raise ImageError(
            f"{name}: DISA registers 3-D images, got a {image.GetDimension()}-D one; choose another metric for it"
        )
    if image.GetNumberOfComponentsPerPixel() != 1 or "complex" in image.GetPixelIDTypeAsString():
        raise ImageError(f"{name}: expected one real number a voxel, got {image.GetPixelIDTypeAsString()}")
    if image.GetNumberOfPixels():
        check_place(Grid.of(image), name)


def _engine_transform(transform: sitk.Transform, name: str) -> _engine.TransformDescription | None:
    if transform.GetTransformEnum() == sitk.sitkIdentity:
        return None
    return describe_transform(transform, name)


def _engine_domain(domain: tuple[Sequence[int], Sequence[float], Sequence[float], Sequence[float]] | None) -> Any:
    if domain is None or len(domain[0]) == 0:
        return None
    if len(domain[0]) != 3:
        raise RegistrationError(f"virtual domain: expected a 3-D one, got {len(domain[0])} dimensions")
    return Grid.of_frame(*domain)


def _busy(name: str) -> RegistrationError:
    return RegistrationError(
        f"{name}: this registration method is running; call it when Execute has ended, or of another one"
    )


def _to_callable(command: sitk.Command | Callable[[], Any]) -> Callable[[], Any]:
    """A command as a function; as in SimpleITK, a Command object is not kept alive, a function is."""
    if not isinstance(command, sitk.Command):
        return command
    held = weakref.ref(command)

    def call() -> None:
        living = held()
        if living is not None:
            living.Execute()

    return call


def _any_optimizer() -> _engine.OptimizerSettings:
    """For an evaluation, which needs none."""
    optimizer = _engine.OptimizerSettings()
    optimizer.name = "Exhaustive"
    optimizer.numbers = {"stepLength": 1.0}
    return optimizer
