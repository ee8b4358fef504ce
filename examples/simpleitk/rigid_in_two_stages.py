# SPDX-License-Identifier: Apache-2.0
"""Rigid registration from far and then exactly: descriptors of 2 mm voxels, and of 1 mm voxels from where those end.

python examples/simpleitk/rigid_in_two_stages.py FIXED MOVING OUTPUT.tfm
"""

from __future__ import annotations

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
    method.SetOptimizerAsLBFGS2()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)
    print(f"2 mm: metric {method.GetMetricValue():+.5f}")

    method.SetMetricAsDISA(spacing=1.0)
    method.SetShrinkFactorsPerLevel([1])  # from a good pose one level will do
    method.SetSmoothingSigmasPerLevel([0])
    method.Execute(fixed, moving)
    print(f"1 mm: metric {method.GetMetricValue():+.5f}")
    sitk.WriteTransform(transform, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
