# SPDX-License-Identifier: Apache-2.0
"""Free-form registration with ITK's ImageRegistrationMethodv4: a cubic B-spline, DISA's metric, L-BFGS-B.

python examples/itk/bspline.py FIXED MOVING OUTPUT.tfm
"""

from __future__ import annotations

import sys

import itk


def main(fixed_path: str, moving_path: str, output: str) -> None:
    fixed, moving = itk.imread(fixed_path, itk.F), itk.imread(moving_path, itk.F)
    Image = type(fixed)

    transform = itk.BSplineTransform[itk.D, 3, 3].New()
    initializer = itk.BSplineTransformInitializer[type(transform), Image].New(
        Transform=transform, Image=fixed, TransformDomainMeshSize=[3, 3, 3]
    )
    initializer.InitializeTransform()

    optimizer = itk.LBFGSBOptimizerv4.New(
        NumberOfIterations=30, CostFunctionConvergenceFactor=1e1, GradientConvergenceTolerance=1e-9
    )
    optimizer.SetBoundSelection(itk.Array[itk.SL](transform.GetNumberOfParameters(), 0))  # no bounds

    method = itk.ImageRegistrationMethodv4[Image, Image].New(
        FixedImage=fixed,
        MovingImage=moving,
        Metric=itk.DISAImageToImageMetricv4[Image, Image].New(),  # was: itk.MattesMutualInformationImageToImageMetricv4
        Optimizer=optimizer,
        InitialTransform=transform,
        InPlace=True,
    )
    method.SetNumberOfLevels(3)  # the descriptors are not smoothed, so each level goes on where the last one stopped
    method.SetShrinkFactorsPerLevel([1, 1, 1])
    method.SetSmoothingSigmasPerLevel([0, 0, 0])
    method.Update()
    print(f"metric {optimizer.GetValue():+.5f}")
    itk.transformwrite([transform], output)


if __name__ == "__main__":
    main(*sys.argv[1:])
