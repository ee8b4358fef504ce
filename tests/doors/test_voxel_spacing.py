# SPDX-License-Identifier: Apache-2.0
"""The voxel spacing that nobody sets follows from the images, by one rule at every door."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.core import _core
from disa.geometry.grid import Grid
from helpers.images import structured_image
from helpers.itk_metric import Metric, to_itk


def grid(size: tuple[int, int, int], spacing: tuple[float, float, float]) -> Grid:
    return Grid.of_frame(size, (0.0, 0.0, 0.0), spacing, np.eye(3).ravel())


BODY = grid((256, 256, 150), (1.0, 1.0, 1.2))
COARSER = 1.2 ** (1 / 3)  # side of the cube that is as large as a voxel of BODY
BLOCK = grid((60, 55, 52), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("fixed", "moving", "expected"),
    [
        (BODY, BODY, 2.0),
        (BODY, BLOCK, COARSER),
        (grid((256, 256, 180), (1.0, 1.0, 1.0)), BLOCK, 1.0),
        (BLOCK, BLOCK, 1.0),
        (grid((80, 80, 80), (1.0, 1.0, 1.0)), BODY, COARSER),
        (grid((50, 50, 50), (2.0, 2.0, 2.0)), BODY, 2.0),
        (grid((40, 40, 40), (1.5, 1.5, 1.5)), BLOCK, 1.5),
        (grid((400, 400, 400), (0.1, 0.1, 0.1)), BLOCK, 1.0),
        (grid((20, 20, 9), (4.0, 4.0, 8.0)), BLOCK, 2.0),
        (grid((150, 150, 20), (1.0, 1.0, 1.0)), BODY, COARSER),
        (grid((200, 200, 20), (1.0, 1.0, 1.0)), BODY, 2.0),
        (grid((90, 90, 90), (1.0, 1.0, 1.0)), BODY, 2.0),
    ],
)
def test_a_block_is_seen_in_finer_voxels_but_not_finer_than_its_own(fixed: Grid, moving: Grid, expected: float) -> None:
    one, other = _core.automatic_voxel_spacing(fixed, moving), _core.automatic_voxel_spacing(moving, fixed)
    assert one == other  # whichever is called fixed
    assert one == pytest.approx(max(expected, 1.0), abs=0.02) or (expected == 1.05 and 1.0 <= one <= 1.07)


def block(seed: int) -> sitk.Image:
    return structured_image((56, 54, 52), spacing=1.0, seed=seed)


def by_function(fixed: sitk.Image, moving: sitk.Image) -> float:
    return disa.register(fixed, moving).voxel_spacing


def by_search(fixed: sitk.Image, moving: sitk.Image) -> float:
    return disa.global_register(fixed, moving, starts=3).voxel_spacing


def by_field(fixed: sitk.Image, moving: sitk.Image) -> float:
    return disa.deformable_register(fixed, moving, stride=4, radius=8.0).voxel_spacing


def by_itk(fixed: sitk.Image, moving: sitk.Image) -> float:
    metric = Metric.New()
    assert metric.GetVoxelSpacing() == 2.0  # as long as there are no images
    metric.SetFixedImage(to_itk(fixed))
    metric.SetMovingImage(to_itk(moving))
    metric.Initialize()
    assert metric.GetFixedFeatures().spacing[0] == pytest.approx(4 * metric.GetVoxelSpacing())
    metric.SetRemainingLevels(2)
    assert metric.GetFeatureSmoothing() == pytest.approx(12 * metric.GetVoxelSpacing())
    return metric.GetVoxelSpacing()


def by_simpleitk(fixed: sitk.Image, moving: sitk.Image) -> float:
    """The class does not say, so it is told by the value, which is that of one spacing and not of the other."""
    values = []
    for spacing in (None, 1.0, 2.0):
        method = disa.ImageRegistrationMethod()
        method.SetMetricAsDISA(spacing=spacing)
        method.SetInitialTransform(sitk.Euler3DTransform())
        values.append(method.MetricEvaluate(fixed, moving))
    assert values[1] != values[2]
    return 1.0 if values[0] == values[1] else 2.0


@pytest.mark.parametrize("door", [by_function, by_search, by_field, by_itk, by_simpleitk])
def test_every_door_takes_one_millimetre_for_a_block(door: Callable[[sitk.Image, sitk.Image], float]) -> None:
    assert door(block(3), block(3)) == pytest.approx(1.0)


def test_a_spacing_that_is_set_stays() -> None:
    assert disa.register(block(3), block(3), spacing=2.0).voxel_spacing == 2.0
    metric = Metric.New(FixedImage=to_itk(block(3)), MovingImage=to_itk(block(3)), VoxelSpacing=1.6)
    metric.Initialize()
    assert metric.GetVoxelSpacing() == 1.6
