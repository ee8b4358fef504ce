# SPDX-License-Identifier: Apache-2.0
"""Masks that do not lie where their images do."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.features.mask_place import check_place
from helpers.images import structured_image


def mask_of(size: tuple[int, int, int]) -> sitk.Image:
    return sitk.GetImageFromArray(np.ones(size[::-1], np.uint8))


def test_a_mask_from_an_array_is_refused_where_it_forgot_its_place() -> None:
    image = structured_image()
    mask = mask_of(image.GetSize())
    with pytest.raises(disa.ImageError, match=r"^fixed_mask: has the size of the fixed image, but origin 0.*CopyInfo"):
        disa.register(image, image, fixed_mask=mask)
    mask.CopyInformation(image)
    check_place(mask, image, "fixed")


def test_a_mask_mostly_outside_is_told_of() -> None:
    image = structured_image((40, 40, 40), spacing=2.0)
    mask = mask_of((40, 40, 40))
    mask.SetSpacing((2.0, 2.0, 2.0))
    for shift, is_told in ((30.0, False), (50.0, True)):
        mask.SetOrigin(np.add(image.GetOrigin(), (shift, 0.0, 0.0)).tolist())
        if is_told:
            with pytest.warns(disa.ImageWarning, match=r"^moving_mask: 6\d % of it lies outside of the moving"):
                check_place(mask, image, "moving")
        else:
            check_place(mask, image, "moving")


def test_without_a_place_of_their_own_both_are_taken_as_they_are() -> None:
    image = mask_of((20, 20, 20))
    check_place(mask_of((20, 20, 20)), image, "fixed")
