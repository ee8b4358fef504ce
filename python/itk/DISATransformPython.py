# SPDX-License-Identifier: Apache-2.0
"""Loaded by ITK's lazy loading when `itk.ProbePressureTransform` is first named."""

from disa.doors.itk.transforms import itkInverseProbePressureTransformD, itkProbePressureTransformD

swig: dict[str, object] = {}

__all__ = ["itkInverseProbePressureTransformD", "itkProbePressureTransformD", "swig"]
