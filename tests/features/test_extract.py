from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.features.weights import local_variance
from helpers.images import rotation


def test_data_is_int8_with_one_scale_and_within_one_step_of_float(image: sitk.Image) -> None:
    quantized = disa.extract_features(image)
    exact = disa.extract_features(image, quantize=False)
    assert quantized.data.dtype == np.int8 and quantized.data.shape[-1] == 16
    assert np.abs(quantized.data.astype(int)).max() == 127
    np.testing.assert_allclose(quantized.data * np.float32(quantized.scale), exact.data, atol=0.51 * quantized.scale)
    assert np.linalg.norm(exact.data, axis=-1).max() <= 1 + 1e-5


def test_descriptors_lie_where_the_frame_says(oblique_image: sitk.Image) -> None:
    """A bright ball's largest descriptors and weights lie around it in physical space."""
    blank = oblique_image * 0
    centre = blank.TransformContinuousIndexToPhysicalPoint((30.0, 15.0, 22.0))
    ball = sitk.GaussianSource(
        sitk.sitkFloat32, blank.GetSize(), (6.0,) * 3, centre, 100.0, blank.GetOrigin(), blank.GetSpacing(),
        blank.GetDirection(),
    )  # fmt: skip
    features = disa.extract_features(ball)
    frame = np.asarray(features.direction).reshape(3, 3) * features.spacing
    z, y, x = np.indices(features.weights.shape)
    points = np.stack([x, y, z], -1) @ frame.T + features.origin
    found = (points * features.weights[..., None]).sum((0, 1, 2)) / features.weights.sum()
    assert np.linalg.norm(found - centre) < 2.0


def test_a_turned_grid_covers_the_same_space(image: sitk.Image) -> None:
    direction = rotation(15, 25, -20)
    features = disa.extract_features(image, direction=direction)
    np.testing.assert_allclose(np.asarray(features.direction).reshape(3, 3), direction)
    frame = direction * features.spacing
    z, y, x = np.indices(features.weights.shape)
    points = (np.stack([x, y, z], -1) @ frame.T + features.origin).reshape(-1, 3)
    index = np.array([image.TransformPhysicalPointToContinuousIndex(p.tolist()) for p in points])
    inside = np.all((index >= -0.5) & (index <= np.asarray(image.GetSize()) - 0.5), axis=1)
    np.testing.assert_array_equal(np.any(features.data.reshape(-1, 16), axis=1), inside)
    assert not features.weights.reshape(-1)[~inside].any()
    corners = [image.TransformIndexToPhysicalPoint(c) for c in ((0, 0, 0), tuple(n - 1 for n in image.GetSize()))]
    cells = (np.asarray(corners) - features.origin) @ np.linalg.inv(frame).T
    assert np.all(cells >= 0) and np.all(cells <= np.asarray(features.weights.shape[::-1]) - 1)


def test_every_second_descriptor_of_stride_2_is_stride_4s(image: sitk.Image) -> None:
    coarse = disa.extract_features(image, stride=4, quantize=False)
    dense = disa.extract_features(image, stride=2, quantize=False)
    inner = (slice(2, -2),) * 3
    np.testing.assert_allclose(dense.data[::2, ::2, ::2][inner], coarse.data[inner], atol=1e-4)
    assert dense.spacing == (4.0, 4.0, 4.0) and coarse.spacing == (8.0, 8.0, 8.0)
    np.testing.assert_allclose(dense.origin, coarse.origin)


@pytest.mark.parametrize("gain", [-1.0, 0.01, 250.0])
def test_intensity_units_do_not_matter(image: sitk.Image, gain: float) -> None:
    exact = ["CPUExecutionProvider"]  # others may round to 8 bits between layers
    plain = disa.extract_features(image, quantize=False, providers=exact)
    scaled = disa.extract_features(image * gain + 1000.0, quantize=False, providers=exact)
    np.testing.assert_allclose(scaled.weights, plain.weights, rtol=1e-2, atol=1e-3)
    if gain > 0:
        np.testing.assert_allclose(scaled.data, plain.data, atol=2e-3)


def test_local_variance_is_each_cubes_variance(image: sitk.Image) -> None:
    pixels = sitk.GetArrayFromImage(image)
    weights = local_variance(image, 3)
    for z, y, x in ((5, 6, 7), (20, 20, 20), (30, 12, 40), (0, 0, 0), (1, 20, 2)):
        cube = pixels[max(z - 3, 0) : z + 4, max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4].astype(np.float64)
        assert weights[z, y, x] == pytest.approx(cube.var(), rel=1e-3)
    for stride in (2, 4):
        np.testing.assert_array_equal(local_variance(image, 3, stride), weights[::stride, ::stride, ::stride])


def test_samples_lie_symmetrically_inside_the_image(image: sitk.Image) -> None:
    """An image of whole cells has cells on both of two opposite borders; both are left out."""
    weights = disa.extract_features(image[:40, :40, :40], spacing=2.0).weights
    for axis in range(3):
        layers = weights.max(axis=tuple(a for a in range(3) if a != axis))
        assert layers.size == 11
        assert layers[0] == layers[-1] == 0.0
        assert np.all(layers[1:-1] > 0)
