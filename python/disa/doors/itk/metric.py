"""`itk.DISAImageToImageMetricv4` and its scale estimators, as proxies of the itk package's own classes.

The shim `itk/DISAPython.py` puts them into the `itk` namespace, where ITK's lazy loading finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

from disa.core import FeatureVolume, _core
from disa.errors import RegistrationError
from disa.features.extract import extract_from_array


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


class _DISAMethods:
    """What DISA adds to `itk.ImageToImageMetricv4`."""

    _make: Callable[[Callable[..., FeatureVolume]], Any]
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
        metric.this = cls._make(extract_from_array)
        template_class.New(metric, *args, **kwargs)
        return metric

    def Initialize(self) -> None:
        """Extract what features are missing and choose the samples; ITK's registration method calls it at each level.

        Raises:
            RegistrationError: in one line, if images, transforms or overlap do not allow it.
        """
        try:
            super().Initialize()  # type: ignore[misc]
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
        return _core.GetValueAndDerivative(self)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """What `copy` and `pickle` ask for.

        Raises:
            TypeError: always; like every ITK object a metric is neither copied nor pickled.
        """
        raise TypeError(f"{type(self).__name__} can be neither copied nor pickled; make a new one and set it up alike")

    def SetModel(self, model: str) -> None:
        """Name of a shipped model or path of an .onnx file. Default "disa-lc2"."""
        _core.SetModel(self, str(model))

    def GetModel(self) -> str:
        """The model's name or path."""
        return _core.GetModel(self)

    def SetFeatureSpacing(self, spacing: float) -> None:
        """Millimetres between the voxels that the network sees. Default 2."""
        _core.SetFeatureSpacing(self, spacing)

    def GetFeatureSpacing(self) -> float:
        """Millimetres between the voxels that the network sees."""
        return _core.GetFeatureSpacing(self)

    def SetFixedStride(self, stride: int) -> None:
        """Voxels between fixed descriptors. Default 4."""
        _core.SetFixedStride(self, stride)

    def GetFixedStride(self) -> int:
        """Voxels between fixed descriptors."""
        return _core.GetFixedStride(self)

    def SetMovingStride(self, stride: int) -> None:
        """Voxels between moving descriptors. Default 2, denser than the fixed ones."""
        _core.SetMovingStride(self, stride)

    def GetMovingStride(self) -> int:
        """Voxels between moving descriptors."""
        return _core.GetMovingStride(self)

    def SetFeatureSmoothing(self, voxels: float) -> None:
        """Standard deviation, in voxels of the feature spacing, of the wide part of the moving descriptors' kernel.

        Starts much further off are captured, at no cost a point; 0: none. Each further level of a registration halves
        it. The kernel is that of `disa.extract_features`. Unless it is set it is 12 where the moving transform is
        rigid and 0 where it may scale or deform, which the smoothing would draw towards the body's middle.
        """
        _core.SetFeatureSmoothing(self, voxels)

    def GetFeatureSmoothing(self) -> float:
        """Standard deviation of the wide part of the kernel over the moving descriptors, in voxels."""
        return _core.GetFeatureSmoothing(self)

    def GetCurrentFeatureSmoothing(self) -> float:
        """The smoothing in use since the last `Initialize`, voxels."""
        return _core.GetCurrentFeatureSmoothing(self)

    def SetReorientationAngle(self, degrees: float) -> None:
        """Degrees that the transform may turn before moving descriptors are extracted anew when a level starts.

        Default 3; 0: never anew.
        """
        _core.SetReorientationAngle(self, degrees)

    def GetReorientationAngle(self) -> float:
        """Degrees that the transform may turn before moving descriptors are extracted anew."""
        return _core.GetReorientationAngle(self)

    def SetExecutionProviders(self, providers: Sequence[str]) -> None:
        """ONNX Runtime execution providers, best first. Empty (default): CUDA, OpenVINO or the CPU, as is available."""
        _core.SetExecutionProviders(self, list(providers))

    def GetExecutionProviders(self) -> list[str]:
        """ONNX Runtime execution providers, best first."""
        return _core.GetExecutionProviders(self)

    def SetFixedFeatures(self, features: FeatureVolume | None) -> None:
        """Ready-made fixed descriptors; None takes them back."""
        _core.SetFixedFeatures(self, features)

    def GetFixedFeatures(self) -> FeatureVolume | None:
        """The fixed descriptors in use, None before `Initialize`."""
        return _core.GetFixedFeatures(self)

    def SetMovingFeatures(self, features: FeatureVolume | None) -> None:
        """Ready-made moving descriptors, used as they are, neither smoothed nor re-oriented; None takes them back."""
        _core.SetMovingFeatures(self, features)

    def GetMovingFeatures(self) -> FeatureVolume | None:
        """The moving descriptors in use, None before `Initialize`."""
        return _core.GetMovingFeatures(self)


class itkDISAImageToImageMetricv4IF3IF3(_DISAMethods, itkImageToImageMetricv4F3F3):
    """DISA metric of two 3-D float images; see `itk::DISAImageToImageMetricv4`."""

    _make = staticmethod(_core.make_float_metric)
    _letter = "F"


class itkDISAImageToImageMetricv4ID3ID3(_DISAMethods, itkImageToImageMetricv4D3D3):
    """DISA metric of two 3-D double images; see `itk::DISAImageToImageMetricv4`."""

    _make = staticmethod(_core.make_double_metric)
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
