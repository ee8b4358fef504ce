# SPDX-License-Identifier: Apache-2.0
"""`itk.DISAImageToImageMetricv4` and its scale estimators, as proxies of the itk package's own classes.

The shim `itk/DISAPython.py` puts them into the `itk` namespace, where ITK's lazy loading finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from itk.itkImageToImageMetricv4Python import itkImageToImageMetricv4D3D3, itkImageToImageMetricv4F3F3
from itk.itkRegistrationParameterScalesFromIndexShiftPython import (
    itkRegistrationParameterScalesFromIndexShiftITIMD3,
    itkRegistrationParameterScalesFromIndexShiftITIMF3,
)
from itk.itkRegistrationParameterScalesFromJacobianPython import (
    itkRegistrationParameterScalesFromJacobianITIMD3,
    itkRegistrationParameterScalesFromJacobianITIMF3,
)
from itk.itkRegistrationParameterScalesFromPhysicalShiftPython import (
    itkRegistrationParameterScalesFromPhysicalShiftITIMD3,
    itkRegistrationParameterScalesFromPhysicalShiftITIMF3,
)
from itk.support import template_class
from itk.support.extras import python_type

from disa.checking import check_whole
from disa.core import FeatureVolume
from disa.doors.itk.compiled import _itk
from disa.doors.settings import shows
from disa.errors import DISAError, RegistrationError, SettingError
from disa.features.extractor import MetricExtractor


class OneLineTemplate(template_class.itkTemplate):  # type: ignore[misc]
    """An ITK template that answers wrong arguments in one line; ITK has one object for each name, the first made."""

    def __getitem__(self, arguments: Any) -> Any:
        try:
            return super().__getitem__(arguments)
        except (KeyError, TypeError):
            name = self.__name__.replace("::", ".")
            given = arguments if isinstance(arguments, tuple) else (arguments,)
            kinds = " or ".join(f"[{', '.join(map(python_type, kind))}]" for kind in self.keys())
            raise TypeError(
                f"{name}: expected the types {kinds}, got [{', '.join(map(python_type, given))}]; "
                "convert images by itk.imread(path, itk.F) or itk.cast_image_filter"
            ) from None


MOST_LEVELS = 1000

IMAGE = "an itk.Image[itk.{letter}, 3], as itk.imread(path, itk.{letter}) or itk.cast_image_filter make one"
MASK = "a 3-D spatial object, such as an itk.ImageMaskSpatialObject[3]"
TRANSFORM = "a 3-D transform of double precision"


def _setter(name: str, expected: str) -> Callable[[Any, Any], None]:
    """The inherited setter, which answers an object of the wrong type in one line."""

    def method(self: Any, value: Any) -> None:
        try:
            getattr(super(_DISAMethods, self), name)(value)
        except TypeError:
            wanted = expected.format(letter=self._letter)
            raise TypeError(f"{name}: expected {wanted}; got {python_type(value)}") from None

    method.__name__ = name
    method.__doc__ = f"`itk.ImageToImageMetricv4.{name}`."
    return method


def _set(metric: Any, name: str, value: Any, expected: str) -> None:
    """Call a setter of the compiled part.

    Raises:
        SettingError: the value is out of its range.
        TypeError: it is of another type; one line.
    """
    try:
        getattr(_itk, name)(metric, value)
    except ValueError as error:
        raise SettingError(str(error)) from None
    except TypeError:
        raise TypeError(f"{name}: expected {expected}; got {python_type(value)}") from None


class _DISAMethods:
    """What DISA adds to `itk.ImageToImageMetricv4`."""

    _make: Callable[[MetricExtractor], Any]
    _letter: str  # F or D
    this: Any

    SetFixedImage = _setter("SetFixedImage", IMAGE)
    SetMovingImage = _setter("SetMovingImage", IMAGE)
    SetVirtualDomainFromImage = _setter("SetVirtualDomainFromImage", IMAGE)
    SetFixedImageMask = _setter("SetFixedImageMask", MASK)
    SetMovingImageMask = _setter("SetMovingImageMask", MASK)
    SetFixedTransform = _setter("SetFixedTransform", TRANSFORM)
    SetMovingTransform = _setter("SetMovingTransform", TRANSFORM)
    SetFixedSampledPointSet = _setter("SetFixedSampledPointSet", "an itk.PointSet[itk.{letter}, 3]")

    @classmethod
    def New(cls, *args: Any, **kwargs: Any) -> Any:
        """A new metric. Keyword arguments call the setter of that name: `New(Model="disa-lc2")`."""
        metric = cls.__new__(cls)
        metric.this = cls._make(MetricExtractor())
        template_class.New(metric, *args, **kwargs)
        return metric

    def Initialize(self) -> None:
        """Extract what features are missing and choose the samples; ITK's registration method calls it at each level.

        Raises:
            RegistrationError: in one line, if images, transforms or overlap do not allow it.
        """
        try:
            super().Initialize()  # type: ignore[misc]
        except DISAError:
            raise
        except RuntimeError as error:
            raise RegistrationError(str(error).splitlines()[-1]) from None

    def GetValueAndDerivative(self, *arguments: Any) -> tuple[float, npt.NDArray[np.float64]]:
        """The value and the derivative (`-df/dtheta`, as every v4 metric's) in one evaluation.

        ITK's own Python class asks for a C++ reference to a number, which Python has not. Any arguments go there.

        Returns:
            Value, and derivative by the moving transform's parameters, shape (parameters,).

        Raises:
            RegistrationError: in one line, before `Initialize`.
        """
        if arguments:
            return super().GetValueAndDerivative(*arguments)  # type: ignore[misc]
        return _itk.GetValueAndDerivative(self)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """What `copy` and `pickle` ask for.

        Raises:
            TypeError: always; like every ITK object a metric is neither copied nor pickled.
        """
        raise TypeError(f"{type(self).__name__} can be neither copied nor pickled; make a new one and set it up alike")

    @shows("model")
    def SetModel(self, model: str) -> None:
        _itk.SetModel(self, str(model))

    @shows("model")
    def GetModel(self) -> str:
        return _itk.GetModel(self)

    @shows("spacing")
    def SetVoxelSpacing(self, mm: float) -> None:
        _set(self, "SetVoxelSpacing", mm, "a number of mm")

    @shows("spacing")
    def GetVoxelSpacing(self) -> float:
        return _itk.GetVoxelSpacing(self)

    def SetFeatureSpacing(self, mm: float) -> None:
        """`SetVoxelSpacing` under its first name."""
        self.SetVoxelSpacing(mm)

    def GetFeatureSpacing(self) -> float:
        """`GetVoxelSpacing` under its first name."""
        return self.GetVoxelSpacing()

    @shows("fixed_stride")
    def SetFixedStride(self, stride: int) -> None:
        _set(self, "SetFixedStride", stride, "4, 2 or 1")

    @shows("fixed_stride")
    def GetFixedStride(self) -> int:
        return _itk.GetFixedStride(self)

    @shows("moving_stride")
    def SetMovingStride(self, stride: int) -> None:
        _set(self, "SetMovingStride", stride, "4, 2 or 1")

    @shows("moving_stride")
    def GetMovingStride(self) -> int:
        return _itk.GetMovingStride(self)

    @shows("smoothing")
    def SetFeatureSmoothing(self, mm: float) -> None:
        _set(self, "SetFeatureSmoothing", mm, "a number of mm")

    @shows("smoothing")
    def GetFeatureSmoothing(self) -> float:
        return _itk.GetFeatureSmoothing(self)

    def SetRemainingLevels(self, levels: int) -> None:
        """Levels that follow the present one, where shrink factors do not tell: 0 at the last.

        Raises:
            RegistrationError: it is not a whole number of 0 or more.
        """
        check_whole("SetRemainingLevels", levels, 0, MOST_LEVELS)
        _itk.SetRemainingLevels(self, levels)

    def GetRemainingLevels(self) -> int:
        """What was set, else by the virtual domain: shrink factors of 4, 2 and 1 are 2, 1 and 0 remaining levels."""
        return _itk.GetRemainingLevels(self)

    def GetCurrentFeatureSmoothing(self) -> float:
        """The smoothing in use since the last `Initialize`, mm."""
        return _itk.GetCurrentFeatureSmoothing(self)

    @shows("reorientation_angle")
    def SetReorientationAngle(self, degrees: float) -> None:
        _set(self, "SetReorientationAngle", degrees, "a number of degrees")

    @shows("reorientation_angle")
    def GetReorientationAngle(self) -> float:
        return _itk.GetReorientationAngle(self)

    @shows("providers")
    def SetExecutionProviders(self, providers: Sequence[str]) -> None:
        names = providers if isinstance(providers, str) or not isinstance(providers, Iterable) else list(providers)
        _set(self, "SetExecutionProviders", names, "a list of names")

    @shows("providers")
    def GetExecutionProviders(self) -> list[str]:
        return _itk.GetExecutionProviders(self)

    def SetFixedFeatures(self, features: FeatureVolume | None) -> None:
        """Ready-made fixed descriptors; None takes them back."""
        _set(self, "SetFixedFeatures", features, "a disa.FeatureVolume or None")

    def GetFixedFeatures(self) -> FeatureVolume | None:
        """The fixed descriptors in use, None before `Initialize`."""
        return _itk.GetFixedFeatures(self)

    def SetMovingFeatures(self, features: FeatureVolume | None) -> None:
        """Ready-made moving descriptors, used as they are, neither smoothed nor re-oriented; None takes them back."""
        _set(self, "SetMovingFeatures", features, "a disa.FeatureVolume or None")

    def GetMovingFeatures(self) -> FeatureVolume | None:
        """The moving descriptors in use, None before `Initialize`."""
        return _itk.GetMovingFeatures(self)


class itkDISAImageToImageMetricv4IF3IF3(_DISAMethods, itkImageToImageMetricv4F3F3):
    """DISA metric of two 3-D float images; see `itk::DISAImageToImageMetricv4`."""

    _make = staticmethod(_itk.make_float_metric)
    _letter = "F"


class itkDISAImageToImageMetricv4ID3ID3(_DISAMethods, itkImageToImageMetricv4D3D3):
    """DISA metric of two 3-D double images; see `itk::DISAImageToImageMetricv4`."""

    _make = staticmethod(_itk.make_double_metric)
    _letter = "D"


# ITK looks scale estimators up by the metric's class; the wheel's for the base class take any metric.
class itkRegistrationParameterScalesFromPhysicalShiftDISAF3(itkRegistrationParameterScalesFromPhysicalShiftITIMF3):
    pass


class itkRegistrationParameterScalesFromPhysicalShiftDISAD3(itkRegistrationParameterScalesFromPhysicalShiftITIMD3):
    pass


class itkRegistrationParameterScalesFromIndexShiftDISAF3(itkRegistrationParameterScalesFromIndexShiftITIMF3):
    pass


class itkRegistrationParameterScalesFromIndexShiftDISAD3(itkRegistrationParameterScalesFromIndexShiftITIMD3):
    pass


class itkRegistrationParameterScalesFromJacobianDISAF3(itkRegistrationParameterScalesFromJacobianITIMF3):
    pass


class itkRegistrationParameterScalesFromJacobianDISAD3(itkRegistrationParameterScalesFromJacobianITIMD3):
    pass
