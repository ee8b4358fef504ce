"""The methods that `deformable.py` and `deformable_abdomen.py` compare, each from two images to a transform."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from mind import MindImage

import disa
from disa.deform import register as steps
from disa.deform.fields import Lattice, to_transform

SPACING = 2.0
Method = Callable[[sitk.Image, sitk.Image], sitk.Transform]


def full(stride: int) -> Method:
    return lambda fixed, moving: disa.deformable_register(fixed, moving, stride=stride).transform


def mind(factor: float) -> Method:
    """All stages with MIND-SSC in place of DISA's descriptors, equal weights, couplings times a factor."""

    def register(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
        image = MindImage(fixed, SPACING)
        couplings = [factor * c for c in steps.COUPLINGS]
        task = steps._Task(fixed, MindImage(moving, SPACING), None, image.grid, image.own_features(2), 2, 0, couplings)
        task.search(2, 24.0, True)
        task.refine(True)
        return task.finish(False).transform

    return register


def search(stride: int) -> Method:
    """The search alone in steps of 8 mm, as in the paper's Table 2."""

    def register(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
        task = steps._Task.open(fixed, moving, None, stride, None, None, "disa-lc2", SPACING, None, 0)
        task.search(steps.CONTROL_STRIDE, 24.0, False)
        return task.transform

    return register


def mattes(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """SimpleITK's B-spline example: Mattes, gradient descent with line search, meshes down to some 25 mm."""
    size = np.asarray(fixed.GetSize()) * np.asarray(fixed.GetSpacing())
    transform = sitk.BSplineTransformInitializer(fixed, [max(1, round(s / 50.0)) for s in size.tolist()], 3)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.2, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescentLineSearch(5.0, 100, convergenceMinimumValue=1e-4, convergenceWindowSize=5)
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([4, 2])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransformAsBSpline(transform, True, [1, 2])
    low = float(sitk.GetArrayViewFromImage(moving).min())
    try:
        return method.Execute(fixed, sitk.Cast(moving - low, sitk.sitkFloat32))
    except RuntimeError:  # too many samples map outside
        return sitk.Transform()


def convex_adam(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """The package convexAdam (pip install convexAdam) as published, on the fixed image's box at 2 mm.

    Its arrays must have sides that its grid spacing of 6 voxels divides, so the box is continued by the border.
    """
    import torch
    from convexAdam.convex_adam_MIND import convex_adam_pt

    extent = np.asarray(fixed.GetSize()) * np.asarray(fixed.GetSpacing())
    size = (12 * np.ceil(extent / SPACING / 12)).astype(int)
    axes = np.asarray(fixed.GetDirection()).reshape(3, 3)
    middle = [(n - 1) / 2 for n in fixed.GetSize()]
    origin = np.asarray(fixed.TransformContinuousIndexToPhysicalPoint(middle)) - axes @ ((size - 1) / 2 * SPACING)
    grid = (size.tolist(), sitk.Transform(), sitk.sitkLinear, origin.tolist(), (SPACING,) * 3, axes.ravel().tolist())
    on_grid = [sitk.Resample(image, *grid, 0.0, sitk.sitkFloat32, True) for image in (fixed, moving)]
    arrays = [torch.from_numpy(sitk.GetArrayFromImage(image)) for image in on_grid]
    voxels = convex_adam_pt(*arrays, device=torch.device("cpu"), dtype=torch.float32)  # (z, y, x, 3), z first
    displacements = SPACING * np.asarray(voxels, float)[..., ::-1]
    x, y, z = size.tolist()
    return to_transform(displacements, Lattice((x, y, z), origin, SPACING, axes), 1)


METHODS: dict[str, Method] = {
    "identity": lambda fixed, moving: sitk.Transform(),
    "DISA, stride 4": full(4),
    "DISA, stride 2": full(2),
    "DISA, stride 1": full(1),
    "DISA, search, stride 4": search(4),
    **{f"MIND-SSC x {factor:g}": mind(factor) for factor in (0.02, 0.07, 0.2, 0.7)},
    "B-spline, Mattes": mattes,
    "convexAdam": convex_adam,
}
