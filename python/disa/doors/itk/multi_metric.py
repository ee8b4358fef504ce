# SPDX-License-Identifier: Apache-2.0
"""`itk.ObjectToObjectMultiMetricv4` and its scale estimators, which the itk package does not wrap.

Scales come from physical shifts or Jacobians; ITK's estimator from index shifts takes no multi-metric.

The shim `itk/DISAPython.py` puts them into the `itk` namespace, where ITK's lazy loading finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from itk.itkImageToImageMetricv4Python import (
    itkImageToImageMetricv4D3D3,
    itkImageToImageMetricv4D3D3_Superclass,
    itkImageToImageMetricv4F3F3,
    itkImageToImageMetricv4F3F3_Superclass,
)
from itk.itkOptimizerParameterScalesEstimatorPython import itkOptimizerParameterScalesEstimatorTemplateD
from itk.support import template_class
from itk.support.extras import python_type

from disa.doors.itk.compiled import _itk
from disa.errors import DISAError, RegistrationError


class _MultiMetricMethods:
    """What `itk::ObjectToObjectMultiMetricv4` adds to its base class."""

    _functions: _itk.MultiMetricFunctions
    _part: Any  # the class of its parts
    _letter: str  # F or D
    this: Any

    @classmethod
    def New(cls, *args: Any, **kwargs: Any) -> Any:
        """A new multi-metric. Keyword arguments call the setter of that name."""
        metric = cls.__new__(cls)
        metric.this = cls._functions.make()
        template_class.New(metric, *args, **kwargs)
        return metric

    def AddMetric(self, metric: Any) -> None:
        """Add a metric, DISA's or any of ITK's, of two 3-D images of this pixel type.

        Metrics of point sets are refused: with one of them `itk.ImageRegistrationMethodv4` ends the process.

        Raises:
            TypeError: it is no such metric.
        """
        self._functions.AddMetric(self, self._as_part(metric))

    def _as_part(self, metric: Any) -> Any:
        """The metric as an object of the class that all image metrics share; the wheel names that of some otherwise."""
        with suppress(TypeError, RuntimeError):
            part = self._part.cast(metric)
            if part is not None:
                return part
        image = f"itk.Image[itk.{self._letter}, 3]"
        raise TypeError(
            f"AddMetric: expected a metric of two 3-D images, one of itk.*ImageToImageMetricv4[{image}, {image}]; "
            f"got {python_type(metric)}"
        )

    def ClearMetricQueue(self) -> None:
        """Remove all metrics."""
        self._functions.ClearMetricQueue(self)

    def GetNumberOfMetrics(self) -> int:
        """How many metrics have been added."""
        return self._functions.GetNumberOfMetrics(self)

    def SetMetricWeights(self, weights: Sequence[float]) -> None:
        """A weight for each metric; `Initialize` scales them to a sum of 1. Default: all alike."""
        self._functions.SetMetricWeights(self, [float(weights[i]) for i in range(len(weights))])

    def GetMetricWeights(self) -> list[float]:
        """The weight of each metric."""
        return self._functions.GetMetricWeights(self)

    def GetValueArray(self) -> list[float]:
        """The value of each metric at the last evaluation."""
        return self._functions.GetValueArray(self)

    def GetWeightedValue(self) -> float:
        """The weighted sum of the values at the last evaluation; `GetValue` is the first metric's alone."""
        return self._functions.GetWeightedValue(self)

    def Initialize(self) -> None:
        """Initialise all metrics; ITK's registration method calls it at each level.

        Raises:
            RegistrationError: in one line, if one of them cannot be initialised.
        """
        try:
            super().Initialize()  # type: ignore[misc]
        except DISAError:
            raise
        except RuntimeError as error:
            raise RegistrationError(str(error).splitlines()[-1]) from None


class itkObjectToObjectMultiMetricv4F3(_MultiMetricMethods, itkImageToImageMetricv4F3F3_Superclass):
    """Several metrics of 3-D float images as one."""

    _functions = _itk.multi_metric_float
    _part = itkImageToImageMetricv4F3F3
    _letter = "F"


class itkObjectToObjectMultiMetricv4D3(_MultiMetricMethods, itkImageToImageMetricv4D3D3_Superclass):
    """Several metrics of 3-D double images as one."""

    _functions = _itk.multi_metric_double
    _part = itkImageToImageMetricv4D3D3
    _letter = "D"


class _EstimatorMethods:
    """A scale estimator that was built for a multi-metric."""

    _make: Callable[[object, bool], Any]
    this: Any

    @classmethod
    def New(cls, *, Metric: Any, TransformForward: bool = True) -> Any:
        """A new estimator of the scales of a multi-metric's parameters, moving (forward) or fixed transform."""
        estimator = cls.__new__(cls)
        estimator.this = cls._make(Metric, TransformForward)
        return estimator


class itkRegistrationParameterScalesFromPhysicalShiftMultiF3(
    _EstimatorMethods, itkOptimizerParameterScalesEstimatorTemplateD
):
    _make = staticmethod(_itk.multi_metric_float.make_physical_shift)


class itkRegistrationParameterScalesFromPhysicalShiftMultiD3(
    _EstimatorMethods, itkOptimizerParameterScalesEstimatorTemplateD
):
    _make = staticmethod(_itk.multi_metric_double.make_physical_shift)


class itkRegistrationParameterScalesFromJacobianMultiF3(
    _EstimatorMethods, itkOptimizerParameterScalesEstimatorTemplateD
):
    _make = staticmethod(_itk.multi_metric_float.make_jacobian)


class itkRegistrationParameterScalesFromJacobianMultiD3(
    _EstimatorMethods, itkOptimizerParameterScalesEstimatorTemplateD
):
    _make = staticmethod(_itk.multi_metric_double.make_jacobian)
