"""Loaded by ITK's lazy loading when `itk.DISAImageToImageMetricv4` is first named."""

from disa._itk_metric import (
    itkDISAImageToImageMetricv4ID3ID3,
    itkDISAImageToImageMetricv4IF3IF3,
    itkRegistrationParameterScalesFromIndexShiftDISAD3,
    itkRegistrationParameterScalesFromIndexShiftDISAF3,
    itkRegistrationParameterScalesFromJacobianDISAD3,
    itkRegistrationParameterScalesFromJacobianDISAF3,
    itkRegistrationParameterScalesFromPhysicalShiftDISAD3,
    itkRegistrationParameterScalesFromPhysicalShiftDISAF3,
)

swig: dict[str, object] = {}

__all__ = [
    "itkDISAImageToImageMetricv4ID3ID3",
    "itkDISAImageToImageMetricv4IF3IF3",
    "itkRegistrationParameterScalesFromIndexShiftDISAD3",
    "itkRegistrationParameterScalesFromIndexShiftDISAF3",
    "itkRegistrationParameterScalesFromJacobianDISAD3",
    "itkRegistrationParameterScalesFromJacobianDISAF3",
    "itkRegistrationParameterScalesFromPhysicalShiftDISAD3",
    "itkRegistrationParameterScalesFromPhysicalShiftDISAF3",
    "swig",
]
