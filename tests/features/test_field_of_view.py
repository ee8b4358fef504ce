# SPDX-License-Identifier: Apache-2.0
"""Images that end within their volume, and scans on grids turned far against each other."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.features.field_of_view import extend_beyond, is_blank_beyond
from disa.features.side import ImageSide, extended_beyond_masks, open_image_side
from disa.network.describer import Network
from helpers.images import rotation, structured_image

SIZE = (110, 110, 110)


@pytest.fixture(scope="module")
def body() -> sitk.Image:
    return structured_image(SIZE, seed=5)


@pytest.fixture(scope="module")
def sector(body: sitk.Image) -> tuple[sitk.Image, sitk.Image, sitk.Image]:
    """A cone of the body on a grid of its own, black beyond; its mask; and the same part of the body uncut."""
    direction = rotation(35, -40, 30)
    count, spacing = 60, 2.0
    middle = np.asarray(body.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in SIZE]))
    origin = middle - direction @ np.full(3, (count - 1) / 2 * spacing)
    whole = sitk.Resample(
        body,
        (count,) * 3,
        sitk.Transform(),
        sitk.sitkLinear,
        origin.tolist(),
        (spacing,) * 3,
        direction.ravel().tolist(),
    )
    z, y, x = np.indices((count,) * 3) - (count - 1) / 2
    inside = np.hypot(x, y) < 0.6 * (z + count / 2) + 4
    images = [np.where(inside, sitk.GetArrayFromImage(whole), -900.0).astype(np.float32), inside.astype(np.uint8)]
    cut, mask = (sitk.GetImageFromArray(pixels) for pixels in images)
    for image in (cut, mask):
        image.CopyInformation(whole)
    return cut, mask, whole


def test_voxels_inside_stay_and_those_beyond_go_on(sector: tuple[sitk.Image, sitk.Image, sitk.Image]) -> None:
    cut, mask, _ = sector
    before, after, inside = (sitk.GetArrayFromImage(i) for i in (cut, extend_beyond(cut, mask), mask))
    inside = inside == 1
    np.testing.assert_array_equal(after[inside], before[inside])
    assert before[inside].min() <= after.min() and after.max() <= before[inside].max()
    edge = inside[:, :, 1:] != inside[:, :, :-1]
    steps = [np.abs(np.diff(pixels, axis=2)[edge]).mean() for pixels in (before, after)]
    assert steps[1] < 0.2 * steps[0]


def test_a_field_of_view_that_fills_the_volume_changes_nothing(body: sitk.Image) -> None:
    everywhere = sitk.Image(SIZE, sitk.sitkUInt8) + 1
    everywhere.CopyInformation(body)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(extend_beyond(body, everywhere)), sitk.GetArrayFromImage(body))
    assert not is_blank_beyond(body, everywhere)


@pytest.mark.parametrize("size", [(2, 3, 5), (7, 2, 2)])
def test_tiny_images_with_one_voxel_inside_become_constant(size: tuple[int, int, int]) -> None:
    image = sitk.GetImageFromArray(np.arange(np.prod(size), dtype=np.float32).reshape(size[::-1]))
    mask = sitk.Image(size, sitk.sitkUInt8)
    mask[1, 1, 1] = 1
    assert np.ptp(sitk.GetArrayFromImage(extend_beyond(image, mask))) < 1e-5


def test_only_what_is_of_one_value_beyond_a_mask_counts_as_blank(
    sector: tuple[sitk.Image, sitk.Image, sitk.Image],
) -> None:
    cut, mask, whole = sector
    assert is_blank_beyond(cut, mask)
    assert not is_blank_beyond(whole, mask)


def side(image: sitk.Image, mask: sitk.Image | None) -> ImageSide:
    return open_image_side(image, "fixed", mask, Network())


def test_descriptors_near_the_edge_are_nearer_to_those_of_the_uncut_image(
    body: sitk.Image, sector: tuple[sitk.Image, sitk.Image, sitk.Image]
) -> None:
    cut, mask, whole = sector
    other = side(body, None)
    sides = [extended_beyond_masks(side(image, mask), other)[0] for image in (whole, cut)]
    uncut, extended, black = (of.features(2.0, 4) for of in (*sides, side(cut, mask)))
    counted = uncut.weights > 0
    wanted = np.float32(uncut.data[counted]) * uncut.scale
    errors = [np.square(np.float32(f.data[counted]) * f.scale - wanted).sum(-1).mean() for f in (extended, black)]
    assert errors[0] < 0.5 * errors[1]


def test_an_edge_that_both_images_have_stays(sector: tuple[sitk.Image, sitk.Image, sitk.Image]) -> None:
    cut, mask, _ = sector
    untouched = side(cut, mask)
    for of in extended_beyond_masks(side(cut, mask), side(cut, mask)):
        np.testing.assert_array_equal(of.features(2.0, 4).data, untouched.features(2.0, 4).data)


@pytest.mark.slow
def test_a_sector_on_a_grid_turned_far_is_found(
    body: sitk.Image, sector: tuple[sitk.Image, sitk.Image, sitk.Image]
) -> None:
    cut, mask, _ = sector
    middle = np.asarray(cut.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in cut.GetSize()]))
    start = sitk.Euler3DTransform(middle.tolist(), 0.3, -0.25, 0.3, (30.0, -25.0, 20.0))
    result = disa.global_register(cut, -1.0 * body, initial_transform=start, fixed_mask=mask)
    points = middle + 20.0 * (np.indices((3, 3, 3)).reshape(3, -1).T - 1)
    errors = [np.linalg.norm(np.subtract(result.transform.TransformPoint(p), p)) for p in points.tolist()]
    assert np.mean(errors) < 2.0
