# SPDX-License-Identifier: Apache-2.0
"""The methods that `deformable.py` and `deformable_abdomen.py` compare, each from two images to a transform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import SimpleITK as sitk
from mind import MindSSC

import disa
from disa.deform.fields import to_transform
from disa.deform.options import DeformOptions
from disa.deform.register import deform, open_workspace
from disa.deform.schedule import DEFORM_SCHEDULE
from disa.deform.search import search as search_displacements
from disa.features.side import ImageSide, open_image_side
from disa.geometry.grid import Grid
from disa.network.describer import Describer

SPACING = 2.0
Method = Callable[[sitk.Image, sitk.Image], sitk.Transform]


def sides_of(fixed: sitk.Image, moving: sitk.Image, describer: Describer) -> tuple[ImageSide, ImageSide]:
    return open_image_side(fixed, "fixed", None, describer), open_image_side(moving, "moving", None, describer)


def full(stride: int) -> Method:
    return lambda fixed, moving: disa.deformable_register(fixed, moving, stride=stride).transform


def mind(factor: float) -> Method:
    """All stages with MIND-SSC in place of DISA's descriptors, equal weights, couplings times a factor."""

    def register(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
        schedule = replace(DEFORM_SCHEDULE, couplings=tuple(factor * c for c in DEFORM_SCHEDULE.couplings))
        return deform(
            open_workspace(sides_of(fixed, moving, MindSSC(centred=False)), None, DeformOptions(), schedule)
        ).transform

    return register


def search(stride: int) -> Method:
    """The search alone in steps of 8 mm, as in the paper's Table 2."""

    def register(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
        options = DeformOptions(stride=stride, inverse_consistent=False)
        work = open_workspace(sides_of(fixed, moving, options.network), None, options)
        search_displacements(work, work.schedule.control_stride, options.radius, both_ways=False)
        return work.transform

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
    low = float(sitk.GetArrayFromImage(moving).min())
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
    return to_transform(displacements, Grid.isotropic(size, origin, SPACING, axes), 1)


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
