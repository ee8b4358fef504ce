# SPDX-License-Identifier: Apache-2.0
"""Free-form registration: a B-spline whose mesh is refined at each level.

python examples/simpleitk/bspline_multiresolution.py FIXED MOVING OUTPUT.tfm
"""

from __future__ import annotations

import sys

import SimpleITK as sitk

import disa


def main(fixed_path: str, moving_path: str, output: str) -> None:
    fixed = sitk.ReadImage(fixed_path, sitk.sitkFloat32)
    moving = sitk.ReadImage(moving_path, sitk.sitkFloat32)
    transform = sitk.BSplineTransformInitializer(image1=fixed, transformDomainMeshSize=[2, 2, 2], order=3)

    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()  # was: method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescentLineSearch(5.0, 30, convergenceMinimumValue=1e-4, convergenceWindowSize=5)
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([1, 0])
    method.SetInitialTransformAsBSpline(transform, inPlace=True, scaleFactors=[1, 2])

    def start_level() -> None:
        print(f"level {method.GetCurrentLevel()}, mesh {transform.GetTransformDomainMeshSize()}")

    def report() -> None:
        print(f"{method.GetOptimizerIteration():3d} {method.GetMetricValue():+.5f}")

    method.AddCommand(sitk.sitkMultiResolutionIterationEvent, start_level)
    method.AddCommand(sitk.sitkIterationEvent, report)
    final = method.Execute(fixed, moving)
    print(f"stop condition: {method.GetOptimizerStopConditionDescription()}")
    sitk.WriteTransform(final, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
