# SPDX-License-Identifier: Apache-2.0
"""Masks that do not lie where their images do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.features.mask_place import check_mask_place
from disa.geometry.grid import Grid
from helpers.images import structured_image


def mask_of(size: tuple[int, int, int]) -> sitk.Image:
    return sitk.GetImageFromArray(np.ones(size[::-1], np.uint8))


def test_a_mask_from_an_array_is_refused_where_it_forgot_its_place() -> None:
    image = structured_image()
    mask = mask_of(image.GetSize())
    with pytest.raises(disa.ImageError, match=r"^fixed_mask: has the size of the fixed image, but origin 0.*CopyInfo"):
        disa.register(image, image, fixed_mask=mask)
    mask.CopyInformation(image)
    check_mask_place(mask, Grid.of(image), "fixed_mask", "fixed image")


def test_a_mask_mostly_outside_is_told_of() -> None:
    image = structured_image((40, 40, 40), spacing=2.0)
    mask = mask_of((40, 40, 40))
    mask.SetSpacing((2.0, 2.0, 2.0))
    for shift, is_told in ((30.0, False), (50.0, True)):
        mask.SetOrigin(np.add(image.GetOrigin(), (shift, 0.0, 0.0)).tolist())
        if is_told:
            with pytest.warns(disa.ImageWarning, match=r"^moving_mask: 6\d % of it lies outside of the moving"):
                check_mask_place(mask, Grid.of(image), "moving_mask", "moving image")
        else:
            check_mask_place(mask, Grid.of(image), "moving_mask", "moving image")


def test_without_a_place_of_their_own_both_are_taken_as_they_are() -> None:
    image = mask_of((20, 20, 20))
    check_mask_place(mask_of((20, 20, 20)), Grid.of(image), "fixed_mask", "fixed image")


@pytest.mark.parametrize(
    ("size", "spacing", "origin", "is_told"),
    [
        ((40, 40, 20), (1.0, 1.0, 2.0), (-20.0, -20.0, 0.0), True),  # resampled as an array, its place forgotten
        ((50, 50, 50), (2.0, 2.0, 2.0), (-10.0, 0.0, 0.0), True),  # cropped as an array
        ((20, 20, 20), (2.0, 2.0, 2.0), (0.5, 0.5, 0.5), False),  # of the same field of view
        ((36, 36, 36), (1.0, 1.0, 1.0), (2.0, 1.0, 3.0), False),  # of the whole that the image is a part of
    ],
)
def test_a_mask_of_another_size_that_seems_to_have_lost_its_place_is_told_of(
    size: tuple[int, int, int], spacing: tuple[float, ...], origin: tuple[float, ...], is_told: bool
) -> None:
    image = Grid.of_frame(size, origin, spacing, np.eye(3).ravel())
    mask = mask_of((40, 40, 40))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        check_mask_place(mask, image, "fixed_mask", "fixed image")
    assert [str(one.message)[:27] for one in said] == is_told * ["fixed_mask: has origin 0, s"]
