# SPDX-License-Identifier: Apache-2.0
"""Symmetric diffeomorphic registration: ITK's SyNImageRegistrationMethod with DISA's metric.

python examples/itk/syn.py FIXED MOVING OUTPUT.h5
"""

from __future__ import annotations

import sys

import itk


def main(fixed_path: str, moving_path: str, output: str) -> None:
    fixed, moving = itk.imread(fixed_path, itk.F), itk.imread(moving_path, itk.F)
    Image = type(fixed)
    # was: itk.ANTSNeighborhoodCorrelationImageToImageMetricv4
    metric = itk.DISAImageToImageMetricv4[Image, Image].New(FeatureSmoothing=6.0)

    method = itk.SyNImageRegistrationMethod[Image, Image].New(
        FixedImage=fixed, MovingImage=moving, Metric=metric, LearningRate=0.5
    )
    method.SetNumberOfLevels(1)
    method.SetShrinkFactorsPerLevel([4])  # of the displacement field
    method.SetSmoothingSigmasPerLevel([0])
    method.SetDownsampleImagesForMetricDerivatives(False)  # else the network runs on newly warped images all the time
    method.SetGaussianSmoothingVarianceForTheUpdateField(3.0)
    method.SetGaussianSmoothingVarianceForTheTotalField(0.0)
    method.Update()
    print(f"metric {method.GetCurrentMetricValue():+.5f}")
    itk.transformwrite([method.GetTransform()], output)


if __name__ == "__main__":
    main(*sys.argv[1:])
