# SPDX-License-Identifier: Apache-2.0
"""A grid of turns about one axis is searched for a start, from which a gradient descent goes on.

python examples/simpleitk/exhaustive_initialisation.py FIXED MOVING OUTPUT.tfm
"""

from __future__ import annotations

import math
import sys

import SimpleITK as sitk

import disa


def main(fixed_path: str, moving_path: str, output: str) -> None:
    fixed = sitk.ReadImage(fixed_path, sitk.sitkFloat32)
    moving = sitk.ReadImage(moving_path, sitk.sitkFloat32)
    transform = sitk.Euler3DTransform(
        sitk.CenteredTransformInitializer(
            fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
        )
    )

    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()  # was: method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsExhaustive(numberOfSteps=[0, 0, 4, 0, 0, 0], stepLength=math.radians(10))
    method.SetOptimizerScales([1, 1, 1, 1, 1, 1])
    method.SetInitialTransform(transform, inPlace=True)
    method.AddCommand(
        sitk.sitkIterationEvent,
        lambda: print(f"{math.degrees(method.GetOptimizerPosition()[2]):+6.1f} degrees {method.GetMetricValue():+.5f}"),
    )
    method.Execute(fixed, moving)
    print(f"best start: {math.degrees(transform.GetAngleZ()):+.1f} degrees, metric {method.GetMetricValue():+.5f}")

    method.RemoveAllCommands()
    method.SetOptimizerAsGradientDescent(learningRate=1.0, numberOfIterations=100)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)
    print(f"final metric value: {method.GetMetricValue():+.5f}")
    sitk.WriteTransform(transform, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
