from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from helpers.frames import place_of
from helpers.images import rotation


@pytest.mark.parametrize("quantized", [False, True], ids=["float", "int8"])
def test_a_cells_own_map_is_its_inner_product_with_every_cell(make_features, quantized: bool) -> None:
    fixed = make_features(quantized=quantized, direction=rotation(10, 20, 30))
    moving = make_features((5, 6, 7), seed=1, quantized=quantized, spacing=3.0, direction=rotation(-5, 0, 8))
    image = disa.similarity_map(fixed, place_of(fixed, (2, 3, 4)), moving)
    expected = np.einsum(
        "zyxc,c->zyx", moving.data.astype(float) * moving.scale, fixed.data[4, 3, 2].astype(float) * fixed.scale
    )
    assert image.GetPixelID() == sitk.sitkFloat32
    np.testing.assert_allclose(sitk.GetArrayFromImage(image), expected, atol=1e-5)
    assert image.GetSize() == (7, 6, 5)
    np.testing.assert_allclose(image.GetOrigin(), moving.origin)
    np.testing.assert_allclose(image.GetSpacing(), moving.spacing)
    np.testing.assert_allclose(image.GetDirection(), moving.direction, atol=1e-12)


@pytest.mark.images
def test_a_real_images_map_peaks_at_the_point_itself(image: sitk.Image) -> None:
    features = disa.extract_features(image)
    cell = np.unravel_index(np.argmax(features.weights), features.weights.shape)
    point = place_of(features, tuple(cell[::-1]))
    found = sitk.GetArrayFromImage(disa.similarity_map(features, point, features))
    assert np.unravel_index(np.argmax(found), found.shape) == cell


@pytest.mark.parametrize("index", [(-0.01, 0.0, 0.0), (0.0, 12.01, 0.0), (0.0, 0.0, 11.5)])
def test_a_point_outside_is_refused_in_one_line(make_features, index: tuple[float, float, float]) -> None:
    features = make_features()
    with pytest.raises(disa.ImageError, match="outside of the fixed features, whose corners are") as caught:
        disa.similarity_map(features, place_of(features, index), features)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("index", [(0.0, 0.0, 0.0), (13.0, 12.0, 11.0)])
def test_the_outermost_cells_are_inside(make_features, index: tuple[float, float, float]) -> None:
    features = make_features()
    x, y, z = map(int, index)
    found = sitk.GetArrayFromImage(disa.similarity_map(features, place_of(features, index), features))
    descriptor = features.data[z, y, x].astype(float) * features.scale
    assert found[z, y, x] == pytest.approx(descriptor @ descriptor, rel=1e-5)


@pytest.mark.parametrize("point", [(1.0, 2.0), (np.nan, 0.0, 0.0), (0.0, 0.0, np.inf)])
def test_a_point_is_three_finite_numbers(make_features, point: tuple[float, ...]) -> None:
    with pytest.raises(disa.ImageError, match="three finite numbers"):
        disa.similarity_map(make_features(), point, make_features())


def test_two_networks_do_not_mix(make_features) -> None:
    with pytest.raises(disa.RegistrationError, match="of two networks"):
        disa.similarity_map(make_features(network="1" * 8), (3.0, -20.0, 11.0), make_features(network="2" * 8))
    disa.similarity_map(make_features(network="1" * 8), (3.0, -20.0, 11.0), make_features())


def test_float_and_int8_do_not_mix(make_features) -> None:
    with pytest.raises(disa.RegistrationError, match="quantise both or neither"):
        disa.similarity_map(make_features(), (3.0, -20.0, 11.0), make_features(quantized=False))
