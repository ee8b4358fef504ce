# SPDX-License-Identifier: Apache-2.0
"""Voxels without a copy."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.features.field_of_view import is_blank_beyond
from disa.features.weights import weighted_by
from disa.geometry.pixels import pixels_of


@pytest.mark.parametrize("shape", [(40, 50, 60), (3, 4, 5, 3)])
def test_an_array_keeps_its_image_and_no_copy_of_it(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 9, shape)
    image = sitk.GetImageFromArray(values.astype(np.int16), isVector=len(shape) == 4)
    held = weakref.ref(image)
    pixels = pixels_of(image)
    assert np.shares_memory(pixels, sitk.GetArrayViewFromImage(image))  # noqa: TID251
    assert not pixels.flags.writeable and pixels.dtype == np.int16
    plane = pixels[1]
    del image, pixels
    gc.collect()
    assert held() is not None
    np.testing.assert_array_equal(plane, values[1])
    del plane
    gc.collect()
    assert held() is None


@pytest.mark.parametrize("count", [20, 40, 60])
def test_weights_and_the_beyond_of_a_mask_are_of_images_that_are_still_there(count: int) -> None:
    """Both asked memory that was freed, which held other numbers by then or was no more the process's."""
    shape = (count,) * 3
    values = np.random.default_rng(count).uniform(0.1, 1.0, shape).astype(np.float32)
    frame = {"origin": np.zeros(3), "spacing": np.ones(3), "direction": np.eye(3).ravel()}
    features = disa.FeatureVolume(
        data=np.ones((*shape, 16), np.int8), scale=0.01, weights=np.ones(shape, np.float32), **frame
    )
    np.testing.assert_allclose(weighted_by(features, sitk.GetImageFromArray(values)).weights, values, rtol=1e-6)
    inside = np.indices(shape)[0] < count // 2
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    assert is_blank_beyond(sitk.GetImageFromArray(np.where(inside, values, 0)), mask)
    assert not is_blank_beyond(sitk.GetImageFromArray(values), mask)
