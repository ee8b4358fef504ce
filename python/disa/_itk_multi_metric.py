"""`itk.ObjectToObjectMultiMetricv4` and its scale estimators, which the itk package does not wrap.

Scales come from physical shifts or Jacobians; ITK's estimator from index shifts takes no multi-metric.

The shim `itk/DISAPython.py` puts them into the `itk` namespace, where ITK's lazy loading finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from itk.itkImageToImageMetricv4Python import (
    itkImageToImageMetricv4D3D3_Superclass,
    itkImageToImageMetricv4F3F3_Superclass,
)
from itk.itkOptimizerParameterScalesEstimatorPython import itkOptimizerParameterScalesEstimatorTemplateD
from itk.support import template_class

from disa.core import _core
from disa.errors import RegistrationError


class _MultiMetricMethods:
    """What `itk::ObjectToObjectMultiMetricv4` adds to its base class."""

    _functions: Any
    this: Any

    @classmethod
    def New(cls, *args: Any, **kwargs: Any) -> Any:
        """A new multi-metric. Keyword arguments call the setter of that name."""
        metric = cls.__new__(cls)
        metric.this = cls._functions.make()
        template_class.New(metric, *args, **kwargs)
        return metric

    def AddMetric(self, metric: Any) -> None:
        """Add a metric, DISA's or one of ITK's, of two 3-D images of this pixel type.

        Raises:
            TypeError: it is no such metric.
        """
        self._functions.AddMetric(self, metric)

    def ClearMetricQueue(self) -> None:
        """Remove all metrics."""
        self._functions.ClearMetricQueue(self)

    def GetNumberOfMetrics(self) -> int:
        """How many metrics have been added."""
        return int(self._functions.GetNumberOfMetrics(self))

    def SetMetricWeights(self, weights: Sequence[float]) -> None:
        """A weight for each metric; `Initialize` scales them to a sum of 1. Default: all alike."""
        self._functions.SetMetricWeights(self, [float(weights[i]) for i in range(len(weights))])

    def GetMetricWeights(self) -> list[float]:
        """The weight of each metric."""
        return list(self._functions.GetMetricWeights(self))

    def GetValueArray(self) -> list[float]:
        """The value of each metric at the last evaluation."""
        return list(self._functions.GetValueArray(self))

    def GetWeightedValue(self) -> float:
        """The weighted sum of the values at the last evaluation; `GetValue` is the first metric's alone."""
        return float(self._functions.GetWeightedValue(self))

    def Initialize(self) -> None:
        """Initialise all metrics; ITK's registration method calls it at each level.

        Raises:
            RegistrationError: in one line, if one of them cannot be initialised.
        """
        try:
            super().Initialize()  # type: ignore[misc]
        except RuntimeError as error:
            raise RegistrationError(str(error).splitlines()[-1]) from None


class itkObjectToObjectMultiMetricv4F3(_MultiMetricMethods, itkImageToImageMetricv4F3F3_Superclass):
    """Several metrics of 3-D float images as one."""

    _functions = _core.multi_metric_float


class itkObjectToObjectMultiMetricv4D3(_MultiMetricMethods, itkImageToImageMetricv4D3D3_Superclass):
    """Several metrics of 3-D double images as one."""

    _functions = _core.multi_metric_double


def _estimator(name: str, metric: type[Any], function: str) -> type[Any]:
    """The proxy class of a scale estimator for a multi-metric."""

    def new(cls: type[Any], *, Metric: Any, TransformForward: bool = True) -> Any:
        """A new estimator of a multi-metric's parameter scales."""
        estimator = cls.__new__(cls)
        estimator.this = getattr(metric._functions, function)(Metric, TransformForward)
        return estimator

    return type(name, (itkOptimizerParameterScalesEstimatorTemplateD,), {"New": classmethod(new)})


_PREFIX = "itkRegistrationParameterScalesFrom"

itkRegistrationParameterScalesFromPhysicalShiftMultiF3 = _estimator(
    f"{_PREFIX}PhysicalShiftMultiF3", itkObjectToObjectMultiMetricv4F3, "make_physical_shift"
)
itkRegistrationParameterScalesFromPhysicalShiftMultiD3 = _estimator(
    f"{_PREFIX}PhysicalShiftMultiD3", itkObjectToObjectMultiMetricv4D3, "make_physical_shift"
)
itkRegistrationParameterScalesFromJacobianMultiF3 = _estimator(
    f"{_PREFIX}JacobianMultiF3", itkObjectToObjectMultiMetricv4F3, "make_jacobian"
)
itkRegistrationParameterScalesFromJacobianMultiD3 = _estimator(
    f"{_PREFIX}JacobianMultiD3", itkObjectToObjectMultiMetricv4D3, "make_jacobian"
)
