# SPDX-License-Identifier: Apache-2.0
"""Loaded by ITK's lazy loading when `itk.DISAImageToImageMetricv4` is first named."""

from disa.doors.itk.metric import (
    OneLineTemplate,
    itkDISAImageToImageMetricv4ID3ID3,
    itkDISAImageToImageMetricv4IF3IF3,
    itkRegistrationParameterScalesFromIndexShiftDISAD3,
    itkRegistrationParameterScalesFromIndexShiftDISAF3,
    itkRegistrationParameterScalesFromJacobianDISAD3,
    itkRegistrationParameterScalesFromJacobianDISAF3,
    itkRegistrationParameterScalesFromPhysicalShiftDISAD3,
    itkRegistrationParameterScalesFromPhysicalShiftDISAF3,
)
from disa.doors.itk.multi_metric import (
    itkObjectToObjectMultiMetricv4D3,
    itkObjectToObjectMultiMetricv4F3,
    itkRegistrationParameterScalesFromJacobianMultiD3,
    itkRegistrationParameterScalesFromJacobianMultiF3,
    itkRegistrationParameterScalesFromPhysicalShiftMultiD3,
    itkRegistrationParameterScalesFromPhysicalShiftMultiF3,
)

for name in ("DISAImageToImageMetricv4", "ObjectToObjectMultiMetricv4"):
    OneLineTemplate(f"itk::{name}")  # ITK fills it

swig: dict[str, object] = {}

__all__ = [
    "itkDISAImageToImageMetricv4ID3ID3",
    "itkDISAImageToImageMetricv4IF3IF3",
    "itkObjectToObjectMultiMetricv4D3",
    "itkObjectToObjectMultiMetricv4F3",
    "itkRegistrationParameterScalesFromIndexShiftDISAD3",
    "itkRegistrationParameterScalesFromIndexShiftDISAF3",
    "itkRegistrationParameterScalesFromJacobianDISAD3",
    "itkRegistrationParameterScalesFromJacobianDISAF3",
    "itkRegistrationParameterScalesFromJacobianMultiD3",
    "itkRegistrationParameterScalesFromJacobianMultiF3",
    "itkRegistrationParameterScalesFromPhysicalShiftDISAD3",
    "itkRegistrationParameterScalesFromPhysicalShiftDISAF3",
    "itkRegistrationParameterScalesFromPhysicalShiftMultiD3",
    "itkRegistrationParameterScalesFromPhysicalShiftMultiF3",
    "swig",
]
