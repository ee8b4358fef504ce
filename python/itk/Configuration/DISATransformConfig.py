# SPDX-License-Identifier: Apache-2.0
"""What the module DISATransform adds to the `itk` namespace; read by ITK's lazy loading."""

depends = ("ITKPyBase", "ITKCommon", "ITKTransform")

templates = tuple(
    (name, f"itk::{name}", f"itk{name}D", True, "double")
    for name in ("ProbePressureTransform", "InverseProbePressureTransform")
)
