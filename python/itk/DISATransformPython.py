"""Loaded by ITK's lazy loading when `itk.ProbePressureTransform` is first named."""

from disa._itk_transforms import itkInverseProbePressureTransformD, itkProbePressureTransformD

swig: dict[str, object] = {}

__all__ = ["itkInverseProbePressureTransformD", "itkProbePressureTransformD", "swig"]
