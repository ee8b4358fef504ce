# SPDX-License-Identifier: Apache-2.0
"""The voxel spacing that nobody sets follows from the images, by one rule at every door."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from disa.core import _core
from disa.geometry.grid import Grid
from helpers.images import structured_image
from helpers.itk_metric import Metric, to_itk


def grid(size: tuple[int, int, int], spacing: tuple[float, float, float]) -> Grid:
    return Grid.of_frame(size, (0.0, 0.0, 0.0), spacing, np.eye(3).ravel())


BODY = grid((256, 256, 150), (1.0, 1.0, 1.2))
BLOCK = grid((60, 55, 52), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("fixed", "moving", "expected"),
    [
        (BODY, BODY, 2.0),
        (BODY, BLOCK, 1.0),
        (grid((256, 256, 180), (1.0, 1.0, 1.0)), BLOCK, 1.0),
        (BLOCK, BLOCK, 1.0),
        (grid((80, 80, 80), (1.0, 1.0, 1.0)), BODY, 1.0),
        (grid((99, 100, 100), (1.3, 1.0, 1.0)), BODY, 2.0),
        (grid((50, 50, 50), (2.0, 2.0, 2.0)), BODY, 2.0),
        (grid((40, 40, 40), (1.5, 1.5, 1.5)), BLOCK, 1.5),
        (grid((400, 400, 400), (0.1, 0.1, 0.1)), BLOCK, 1.0),
        (grid((20, 20, 9), (4.0, 4.0, 8.0)), BLOCK, 2.0),
        (grid((200, 200, 7), (0.9, 0.9, 3.0)), BODY, 1.0),
        (grid((220, 240, 20), (1.0, 1.0, 1.0)), BODY, 2.0),
        (grid((99, 99, 99), (1.0, 1.0, 1.0)), BODY, 1.0),
    ],
)
def test_a_block_is_seen_in_finer_voxels_but_not_finer_than_its_own(fixed: Grid, moving: Grid, expected: float) -> None:
    one, other = _core.automatic_voxel_spacing(fixed, moving), _core.automatic_voxel_spacing(moving, fixed)
    assert one == other  # whichever is called fixed
    assert one == pytest.approx(expected)


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


def ball(image: sitk.Image, radius: float) -> sitk.Image:
    """Mask of so many mm about the image's centre."""
    z, y, x = np.indices(image.GetSize()[::-1])
    index = np.stack([x, y, z], axis=-1) - (np.asarray(image.GetSize()) - 1) / 2
    mask = sitk.GetImageFromArray((np.linalg.norm(index * image.GetSpacing(), axis=-1) < radius).astype(np.uint8))
    mask.CopyInformation(image)
    return mask


@pytest.fixture(scope="module")
def body() -> sitk.Image:
    return structured_image((68, 64, 60), spacing=2.2, seed=5)


RADIUS = 50.0  # mm: a ball of half a litre


@pytest.fixture(scope="module")
def finer() -> sitk.Image:
    return structured_image((100, 96, 92), spacing=1.2, seed=5)


def test_a_mask_that_leaves_less_than_a_litre_asks_for_finer_voxels(finer: sitk.Image) -> None:
    assert disa.register(finer, finer, moving_mask=ball(finer, RADIUS)).voxel_spacing == pytest.approx(1.2)


@pytest.mark.parametrize("setter", ["SetFixedImageMask", "SetMovingImageMask"])
def test_so_does_a_mask_of_the_itk_metric(finer: sitk.Image, setter: str) -> None:
    metric = Metric.New(FixedImage=to_itk(finer), MovingImage=to_itk(finer))
    assert metric.GetVoxelSpacing() == 2.0
    mask = itk.ImageMaskSpatialObject[3].New(Image=to_itk(ball(finer, RADIUS), np.uint8))
    mask.Update()
    getattr(metric, setter)(mask)
    assert metric.GetVoxelSpacing() == pytest.approx(1.2)


def test_a_large_mask_and_one_that_the_image_ends_at_do_not(body: sitk.Image) -> None:
    half = ball(body, 65.0)  # 1.1 litres
    assert disa.register(body, body, fixed_mask=half).voxel_spacing == 2.0
    sector = ball(body, RADIUS)
    seen = sitk.Mask(body, sector)
    assert disa.register(seen, body, fixed_mask=sector).voxel_spacing == 2.0


@pytest.mark.parametrize(("size", "radius"), [((40, 50, 60), 25.0), ((64, 65, 130), 30.0), ((5, 200, 129), 60.0)])
def test_the_volume_of_a_mask_is_that_of_its_voxels(size: tuple[int, int, int], radius: float) -> None:
    image = structured_image(size, spacing=1.3, seed=2)
    mask = ball(image, radius)
    lattice = _core.lattice(Grid.of(image))
    assert max(lattice.size) <= 64
    ends = lattice.points([(0, 0, 0), np.asarray(lattice.size) - 1]).mean(axis=0)
    np.testing.assert_allclose(ends, Grid.of(image).corners.mean(axis=0))  # it lies in the middle
    found = _core.mask_volume(Grid.of(image), int(np.count_nonzero(lattice.nearest(mask))))
    assert found == pytest.approx(np.count_nonzero(sitk.GetArrayFromImage(mask)) * 1.3**3, rel=0.05)


def turned(image: sitk.Image, room: int) -> sitk.Image:
    """On a grid that is turned, and larger by so many voxels a side, filled up with 0."""
    size = [n + 2 * room for n in image.GetSize()]
    centre = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    turn = sitk.Euler3DTransform(centre, 0.2, -0.15, 0.25)
    origin = np.asarray(image.GetOrigin()) - room * np.asarray(image.GetSpacing())
    grid = sitk.Image(size, sitk.sitkFloat32)
    grid.SetSpacing(image.GetSpacing())
    grid.SetOrigin(origin.tolist())
    return sitk.Resample(image, grid, turn, sitk.sitkLinear, 0.0)


def test_padding_is_not_shown(finer: sitk.Image) -> None:
    """A litre and more of voxels, of which the image fills a part, in three doors."""
    part = 3.0 + sitk.RegionOfInterest(finer, (70, 66, 62), (10, 10, 10))  # half a litre
    padded = turned(part, 16)
    assert padded.GetNumberOfPixels() * 1.2**3 > 1.2e6
    assert disa.register(finer, padded).voxel_spacing == pytest.approx(1.2)
    assert by_field(padded, finer) == pytest.approx(1.2)
    metric = Metric.New(FixedImage=to_itk(finer), MovingImage=to_itk(padded))
    assert metric.GetVoxelSpacing() == pytest.approx(1.2)


def test_a_spacing_that_is_set_stays() -> None:
    assert disa.register(block(3), block(3), spacing=2.0).voxel_spacing == 2.0
    metric = Metric.New(FixedImage=to_itk(block(3)), MovingImage=to_itk(block(3)), VoxelSpacing=1.6)
    metric.Initialize()
    assert metric.GetVoxelSpacing() == 1.6
