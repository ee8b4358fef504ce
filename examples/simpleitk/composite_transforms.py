# SPDX-License-Identifier: Apache-2.0
"""Two stages, rigid and then affine, the second on top of the first in one composite transform.

python examples/simpleitk/composite_transforms.py FIXED MOVING OUTPUT.tfm
"""

from __future__ import annotations

import sys

import SimpleITK as sitk

import disa


def main(fixed_path: str, moving_path: str, output: str) -> None:
    fixed = sitk.ReadImage(fixed_path, sitk.sitkFloat32)
    moving = sitk.ReadImage(moving_path, sitk.sitkFloat32)
    rigid = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )

    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()  # was: method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsLBFGS2(numberOfIterations=50)
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([1, 0])
    method.SetInitialTransform(rigid, inPlace=False)
    rigid_found = method.Execute(fixed, moving)
    print(f"rigid:  metric {method.GetMetricValue():+.5f}")

    affine = sitk.AffineTransform(3)
    affine.SetCenter(fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in fixed.GetSize()]))
    method.SetMovingInitialTransform(rigid_found)
    method.SetInitialTransform(affine, inPlace=True)
    method.SetShrinkFactorsPerLevel([1])
    method.SetSmoothingSigmasPerLevel([0])
    method.Execute(fixed, moving)
    print(f"affine: metric {method.GetMetricValue():+.5f}")

    final = sitk.CompositeTransform([rigid_found, affine])
    final.FlattenTransform()
    sitk.WriteTransform(final, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
