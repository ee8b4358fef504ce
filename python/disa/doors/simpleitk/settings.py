# SPDX-License-Identifier: Apache-2.0
"""SimpleITK's registration method, its settings kept where they can be read, for SimpleITK has getters for few of them.

Arguments have SimpleITK's names, order and defaults.
"""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import SimpleITK as sitk

_Method = sitk.ImageRegistrationMethod


@dataclass
class Choice:
    """One of several things by its name in SimpleITK's setter, and its numbers by SimpleITK's names of arguments."""

    name: str = ""
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass
class Settings:
    """What SimpleITK's setters were given, with its own values at first."""

    optimizer: Choice = field(default_factory=Choice)
    number_of_steps: list[int] = field(default_factory=list)
    scales_estimator: Choice = field(default_factory=Choice)
    scales: list[float] = field(default_factory=list)
    fixed_mask: sitk.Image | None = None
    moving_mask: sitk.Image | None = None
    sampling_percentages: list[float] = field(default_factory=lambda: [1.0])
    sampling_seed: int = sitk.sitkWallClock
    sampling_strategy: int = _Method.NONE
    use_fixed_gradient_filter: bool = True
    use_moving_gradient_filter: bool = True
    shrink_factors: list[int] = field(default_factory=lambda: [1])
    smoothing_sigmas: list[float] = field(default_factory=lambda: [0.0])
    sigmas_are_in_physical_units: bool = True
    virtual_domain: tuple[Sequence[int], Sequence[float], Sequence[float], Sequence[float]] | None = None
    spline_scale_factors: list[int] = field(default_factory=list)


class RecordedRegistrationMethod(_Method):
    """SimpleITK's class with `_settings`, a record of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._settings = Settings()

    def _set_optimizer(self, name: str, arguments: dict[str, Any]) -> None:
        """Call SimpleITK's setter, which checks the arguments, and keep them."""
        arguments = {key: value for key, value in arguments.items() if key not in ("self", "__class__")}
        getattr(super(), f"SetOptimizerAs{name}")(**arguments)
        steps = arguments.pop("numberOfSteps", [])
        self._settings.number_of_steps = [int(n) for n in steps]
        self._settings.optimizer = Choice(name, {key: float(value) for key, value in arguments.items()})

    def SetOptimizerAsGradientDescent(
        self,
        learningRate: float,
        numberOfIterations: int,
        convergenceMinimumValue: float = 1e-6,
        convergenceWindowSize: int = 10,
        estimateLearningRate: int = _Method.Once,
        maximumStepSizeInPhysicalUnits: float = 0.0,
    ) -> None:
        """As SimpleITK's."""
        self._set_optimizer("GradientDescent", locals())

    def SetOptimizerAsGradientDescentLineSearch(
        self,
        learningRate: float,
        numberOfIterations: int,
        convergenceMinimumValue: float = 1e-6,
        convergenceWindowSize: int = 10,
        lineSearchLowerLimit: float = 0.0,
        lineSearchUpperLimit: float = 5.0,
        lineSearchEpsilon: float = 0.01,
        lineSearchMaximumIterations: int = 20,
        estimateLearningRate: int = _Method.Once,
        maximumStepSizeInPhysicalUnits: float = 0.0,
    ) -> None:
        """As SimpleITK's."""
        self._set_optimizer("GradientDescentLineSearch", locals())

    def SetOptimizerAsConjugateGradientLineSearch(
        self,
        learningRate: float,
        numberOfIterations: int,
        convergenceMinimumValue: float = 1e-6,
        convergenceWindowSize: int = 10,
        lineSearchLowerLimit: float = 0.0,
        lineSearchUpperLimit: float = 5.0,
        lineSearchEpsilon: float = 0.01,
        lineSearchMaximumIterations: int = 20,
        estimateLearningRate: int = _Method.Once,
        maximumStepSizeInPhysicalUnits: float = 0.0,
    ) -> None:
        """As SimpleITK's."""
        self._set_optimizer("ConjugateGradientLineSearch", locals())

    def SetOptimizerAsRegularStepGradientDescent(
        self,
        learningRate: float,
        minStep: float,
        numberOfIterations: int,
        relaxationFactor: float = 0.5,
        gradientMagnitudeTolerance: float = 1e-4,
        estimateLearningRate: int = _Method.Never,
        maximumStepSizeInPhysicalUnits: float = 0.0,
    ) -> None:
        """As SimpleITK's."""
        self._set_optimizer("RegularStepGradientDescent", locals())

    def SetOptimizerAsLBFGSB(
        self,
        gradientConvergenceTolerance: float = 1e-5,
        numberOfIterations: int = 500,
        maximumNumberOfCorrections: int = 5,
        maximumNumberOfFunctionEvaluations: int = 2000,
        costFunctionConvergenceFactor: float = 1e7,
        lowerBound: float = sys.float_info.min,
        upperBound: float = sys.float_info.max,
        trace: bool = False,
    ) -> None:
        """As SimpleITK's; its default bounds stand for none."""
        self._set_optimizer("LBFGSB", locals())

    def SetOptimizerAsLBFGS2(
        self,
        solutionAccuracy: float = 1e-5,
        numberOfIterations: int = 0,
        hessianApproximateAccuracy: int = 6,
        deltaConvergenceDistance: int = 0,
        deltaConvergenceTolerance: float = 1e-5,
        lineSearchMaximumEvaluations: int = 40,
        lineSearchMinimumStep: float = 1e-20,
        lineSearchMaximumStep: float = 1e20,
        lineSearchAccuracy: float = 1e-4,
    ) -> None:
        """As SimpleITK's."""
        self._set_optimizer("LBFGS2", locals())

    def SetOptimizerAsExhaustive(self, numberOfSteps: Sequence[int], stepLength: float = 1.0) -> None:
        """As SimpleITK's."""
        self._set_optimizer("Exhaustive", locals())

    def SetOptimizerAsAmoeba(
        self,
        simplexDelta: float,
        numberOfIterations: int,
        parametersConvergenceTolerance: float = 1e-8,
        functionConvergenceTolerance: float = 1e-4,
        withRestarts: bool = False,
    ) -> None:
        """As SimpleITK's."""
        self._set_optimizer("Amoeba", locals())

    def SetOptimizerAsPowell(
        self,
        numberOfIterations: int = 100,
        maximumLineIterations: int = 100,
        stepLength: float = 1.0,
        stepTolerance: float = 1e-6,
        valueTolerance: float = 1e-6,
    ) -> None:
        """As SimpleITK's."""
        self._set_optimizer("Powell", locals())

    def SetOptimizerAsOnePlusOneEvolutionary(
        self,
        numberOfIterations: int = 100,
        epsilon: float = 1.5e-4,
        initialRadius: float = 1.01,
        growthFactor: float = -1.0,
        shrinkFactor: float = -1.0,
        seed: int = sitk.sitkWallClock,
    ) -> None:
        """As SimpleITK's."""
        self._set_optimizer("OnePlusOneEvolutionary", locals())

    def SetOptimizerScales(self, scales: Sequence[float]) -> None:
        """As SimpleITK's."""
        super().SetOptimizerScales(scales)
        self._settings.scales_estimator = Choice()
        self._settings.scales = [float(value) for value in scales]

    def SetOptimizerScalesFromJacobian(self, centralRegionRadius: int = 5) -> None:
        """As SimpleITK's."""
        super().SetOptimizerScalesFromJacobian(centralRegionRadius)
        self._set_estimator("Jacobian", centralRegionRadius=centralRegionRadius)

    def SetOptimizerScalesFromIndexShift(
        self, centralRegionRadius: int = 5, smallParameterVariation: float = 0.01
    ) -> None:
        """As SimpleITK's."""
        super().SetOptimizerScalesFromIndexShift(centralRegionRadius, smallParameterVariation)
        self._set_estimator(
            "IndexShift", centralRegionRadius=centralRegionRadius, smallParameterVariation=smallParameterVariation
        )

    def SetOptimizerScalesFromPhysicalShift(
        self, centralRegionRadius: int = 5, smallParameterVariation: float = 0.01
    ) -> None:
        """As SimpleITK's."""
        super().SetOptimizerScalesFromPhysicalShift(centralRegionRadius, smallParameterVariation)
        self._set_estimator(
            "PhysicalShift", centralRegionRadius=centralRegionRadius, smallParameterVariation=smallParameterVariation
        )

    def _set_estimator(self, name: str, **numbers: float) -> None:
        self._settings.scales_estimator = Choice(name, numbers)
        self._settings.scales = []

    def SetMetricFixedMask(self, binaryMask: sitk.Image) -> None:
        """As SimpleITK's: fixed samples outside of the mask do not count."""
        super().SetMetricFixedMask(binaryMask)
        self._settings.fixed_mask = sitk.Image(binaryMask)

    def SetMetricMovingMask(self, binaryMask: sitk.Image) -> None:
        """As SimpleITK's: samples that are moved outside of the mask do not count."""
        super().SetMetricMovingMask(binaryMask)
        self._settings.moving_mask = sitk.Image(binaryMask)

    def SetMetricSamplingPercentage(self, percentage: float, seed: int = sitk.sitkWallClock) -> None:
        """As SimpleITK's."""
        super().SetMetricSamplingPercentage(percentage, seed)
        self._settings.sampling_percentages = [float(percentage)]
        self._settings.sampling_seed = seed

    def SetMetricSamplingPercentagePerLevel(self, percentage: Sequence[float], seed: int = sitk.sitkWallClock) -> None:
        """As SimpleITK's."""
        super().SetMetricSamplingPercentagePerLevel(percentage, seed)
        self._settings.sampling_percentages = [float(value) for value in percentage]
        self._settings.sampling_seed = seed

    def SetMetricSamplingStrategy(self, strategy: int) -> None:
        """As SimpleITK's; with NONE, DISA samples its own grid of descriptors."""
        super().SetMetricSamplingStrategy(strategy)
        self._settings.sampling_strategy = strategy

    def SetMetricUseFixedImageGradientFilter(self, arg: bool) -> None:
        """As SimpleITK's; DISA needs no image gradient, so there it changes nothing."""
        super().SetMetricUseFixedImageGradientFilter(arg)
        self._settings.use_fixed_gradient_filter = bool(arg)

    def MetricUseFixedImageGradientFilterOn(self) -> None:
        """As SimpleITK's."""
        self.SetMetricUseFixedImageGradientFilter(True)

    def MetricUseFixedImageGradientFilterOff(self) -> None:
        """As SimpleITK's."""
        self.SetMetricUseFixedImageGradientFilter(False)

    def SetMetricUseMovingImageGradientFilter(self, arg: bool) -> None:
        """As SimpleITK's; DISA needs no image gradient, so there it changes nothing."""
        super().SetMetricUseMovingImageGradientFilter(arg)
        self._settings.use_moving_gradient_filter = bool(arg)

    def MetricUseMovingImageGradientFilterOn(self) -> None:
        """As SimpleITK's."""
        self.SetMetricUseMovingImageGradientFilter(True)

    def MetricUseMovingImageGradientFilterOff(self) -> None:
        """As SimpleITK's."""
        self.SetMetricUseMovingImageGradientFilter(False)

    def SetShrinkFactorsPerLevel(self, shrinkFactors: Sequence[int]) -> None:
        """As SimpleITK's."""
        super().SetShrinkFactorsPerLevel(shrinkFactors)
        self._settings.shrink_factors = [int(value) for value in shrinkFactors]

    def SetSmoothingSigmasPerLevel(self, smoothingSigmas: Sequence[float]) -> None:
        """As SimpleITK's; DISA describes the smoothed images, so each sigma above 0 is a run of the network more."""
        super().SetSmoothingSigmasPerLevel(smoothingSigmas)
        self._settings.smoothing_sigmas = [float(value) for value in smoothingSigmas]

    def SetSmoothingSigmasAreSpecifiedInPhysicalUnits(self, arg: bool) -> None:
        """As SimpleITK's."""
        super().SetSmoothingSigmasAreSpecifiedInPhysicalUnits(arg)
        self._settings.sigmas_are_in_physical_units = bool(arg)

    def SmoothingSigmasAreSpecifiedInPhysicalUnitsOn(self) -> None:
        """As SimpleITK's."""
        self.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(True)

    def SmoothingSigmasAreSpecifiedInPhysicalUnitsOff(self) -> None:
        """As SimpleITK's."""
        self.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(False)

    def SetVirtualDomain(
        self,
        virtualSize: Sequence[int],
        virtualOrigin: Sequence[float],
        virtualSpacing: Sequence[float],
        virtualDirection: Sequence[float],
    ) -> None:
        """As SimpleITK's."""
        super().SetVirtualDomain(virtualSize, virtualOrigin, virtualSpacing, virtualDirection)
        self._settings.virtual_domain = (
            tuple(virtualSize),
            tuple(virtualOrigin),
            tuple(virtualSpacing),
            tuple(virtualDirection),
        )

    def SetVirtualDomainFromImage(self, virtualImage: sitk.Image) -> None:
        """As SimpleITK's."""
        self.SetVirtualDomain(
            virtualImage.GetSize(), virtualImage.GetOrigin(), virtualImage.GetSpacing(), virtualImage.GetDirection()
        )
