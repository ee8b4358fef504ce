# SPDX-License-Identifier: Apache-2.0
"""Layers of napari lie where ITK says that the images lie."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.pose.result import RegistrationResult
from helpers.images import rotation, structured_image

TRANSFORM = sitk.Euler3DTransform((10.0, 60.0, 40.0), 0.1, -0.05, 0.2, (4.0, -3.0, 6.0))
RESULT = RegistrationResult(TRANSFORM, -0.4, 0.9, (), 1, {})


@pytest.fixture(scope="module")
def moving() -> sitk.Image:
    return structured_image((50, 46, 42), spacing=1.9, seed=2, direction=rotation(-5, 12, 8).ravel().tolist())


def test_a_voxel_is_at_its_physical_point_in_reversed_order(oblique_image: sitk.Image, moving: sitk.Image) -> None:
    for pixels, arguments, kind in disa.napari_layers(RESULT, oblique_image, moving):
        assert kind == "image"
        assert pixels.shape == oblique_image.GetSize()[::-1]
        world = arguments["affine"] @ (5, 11, 17, 1)
        expected = oblique_image.TransformIndexToPhysicalPoint((17, 11, 5))
        np.testing.assert_allclose(world, (*expected[::-1], 1.0), atol=1e-9)


def test_the_moving_image_is_seen_through_the_transform(oblique_image: sitk.Image, moving: sitk.Image) -> None:
    fixed, before, after = disa.napari_layers(RESULT, oblique_image, moving)
    index = (24, 22, 20)
    point = oblique_image.TransformIndexToPhysicalPoint(index)
    for layer, image, place in (
        (fixed, oblique_image, point),
        (before, moving, point),
        (after, moving, TRANSFORM.TransformPoint(point)),
    ):
        assert layer[0][index[::-1]] == pytest.approx(image.EvaluateAtPhysicalPoint(place, sitk.sitkLinear), rel=1e-4)
    assert [layer[1].get("visible", True) for layer in (fixed, before, after)] == [True, False, True]


def test_images_that_are_mostly_one_value_have_limits_that_differ(moving: sitk.Image) -> None:
    spot = sitk.Image(40, 40, 40, sitk.sitkFloat32)
    spot[20, 20, 20] = 7.0
    low, high = disa.napari_layers(RESULT, spot, moving)[0][1]["contrast_limits"]
    assert (low, high) == (0.0, 7.0)


def test_what_is_no_image_is_named(moving: sitk.Image) -> None:
    with pytest.raises(disa.ImageError, match="fixed: expected a SimpleITK image"):
        disa.napari_layers(RESULT, 3, moving)


@pytest.mark.filterwarnings("ignore")  # napari's own
def test_napari_makes_layers_of_them(oblique_image: sitk.Image, moving: sitk.Image) -> None:
    layers = pytest.importorskip("napari.layers", reason="napari is not installed: pip install '.[viz]'")
    for data in disa.napari_layers(RESULT, oblique_image, moving):
        layer = layers.Layer.create(*data)
        assert type(layer) is layers.Image
        assert (layer.name, layer.blending) == (data[1]["name"], "translucent")
        expected = oblique_image.TransformIndexToPhysicalPoint((17, 11, 5))[::-1]
        np.testing.assert_allclose(layer.data_to_world((5, 11, 17)), expected, atol=1e-6)
