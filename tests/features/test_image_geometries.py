# SPDX-License-Identifier: Apache-2.0
"""Images of any geometry: spacings of 0.1 to 20 mm, flipped, oblique, left-handed, tiny and huge."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import disa
from disa.features.network_grid import MARGIN, STRIDE, box_grid, covering_grid
from disa.geometry.grid import Grid
from helpers.displaced import displaced_images, error_of
from helpers.images import rotation, structured_image

spacings = st.tuples(*[st.floats(np.log(0.1), np.log(20.0)).map(lambda v: float(np.exp(v)))] * 3)
turns = st.tuples(*[st.floats(-180.0, 180.0).map(lambda v: round(v, 9))] * 3)
"""Degrees. Of angles below 1e-150 ITK's inverse of an image's direction, by singular values, does not converge."""
orders = st.sampled_from(list(itertools.permutations(range(3))))
signs = st.tuples(*[st.sampled_from((1.0, -1.0))] * 3)


def directions(turn: tuple[float, ...], order: tuple[int, ...], sign: tuple[float, ...]) -> np.ndarray:
    """Orthonormal axes, left-handed ones among them."""
    return rotation(*turn)[:, list(order)] * sign


def image_of(
    size: tuple[int, ...], spacing: tuple[float, ...], direction: np.ndarray, pixels: Any = None
) -> sitk.Image:
    image = sitk.Image(size, sitk.sitkUInt8) if pixels is None else sitk.GetImageFromArray(pixels)
    image.SetSpacing(spacing)
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin((-310.0, 17.5, 1005.25))
    return image


def corners_of(image: sitk.Image) -> np.ndarray:
    ends = itertools.product(*[(-0.5, n - 0.5) for n in image.GetSize()])
    return np.array([image.TransformContinuousIndexToPhysicalPoint(end) for end in ends])


def stored_otherwise(image: sitk.Image, order: tuple[int, ...], flips: tuple[bool, ...]) -> sitk.Image:
    """The same image with its axes in another order and some of them reversed."""
    pixels = np.flip(sitk.GetArrayFromImage(image), [2 - k for k in range(3) if flips[k]])  # arrays are (z, y, x)
    axes = np.reshape(image.GetDirection(), (3, 3)) * [-1.0 if flip else 1.0 for flip in flips]
    other = sitk.GetImageFromArray(np.ascontiguousarray(pixels.transpose([2 - order[2 - k] for k in range(3)])))
    other.SetSpacing([image.GetSpacing()[k] for k in order])
    other.SetDirection(axes[:, list(order)].ravel().tolist())
    last = [n - 1 if flip else 0 for n, flip in zip(image.GetSize(), flips, strict=True)]
    other.SetOrigin(image.TransformIndexToPhysicalPoint(last))
    return other


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(*[st.integers(2, 512)] * 3),
    spacing=spacings,
    voxel=st.floats(0.1, 20.0),
    own=st.builds(directions, turns, orders, signs),
    axes=st.builds(directions, turns, orders, signs),
)
def test_a_grid_covers_the_image_and_no_more_or_is_refused(
    size: tuple[int, int, int], spacing: tuple[float, ...], voxel: float, own: np.ndarray, axes: np.ndarray
) -> None:
    assume(np.prod(size) < 2**22)
    image = image_of(size, spacing, own)
    corners = corners_of(image)
    for make in (lambda: covering_grid(Grid.of(image), voxel, axes), lambda: box_grid(corners, voxel, axes)):
        try:
            grid = make()
        except disa.ImageError as error:
            assert "2^30 voxels" in str(error)
            assert np.prod(np.ptp(corners @ axes, axis=0) / voxel + 2 * MARGIN + STRIDE + 1) > 2**30
            continue
        assert np.prod(np.array(grid.size, float)) <= 2**30
        index = (corners - grid.origin) @ axes / voxel - MARGIN
        last = np.array(grid.size) - 1 - 2 * MARGIN
        assert (last % STRIDE == 0).all()
        # a voxel reaches half of its size beyond its centre
        assert (index >= -0.5 - 1e-3).all() and (index <= last + 0.5 + 1e-3).all()
        assert (last - np.ptp(index, axis=0) < STRIDE + 1e-3).all() or (last <= 2 * STRIDE).any()  # a slab


@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    size=st.tuples(*[st.integers(1, 12).map(lambda n: 2 * n + 1)] * 3),
    spacing=spacings,
    own=st.builds(directions, turns, orders, signs),
    order=orders,
    flips=st.tuples(*[st.booleans()] * 3),
    seed=st.integers(0, 99),
)
def test_descriptors_do_not_depend_on_how_an_image_is_stored(
    size: tuple[int, int, int],
    spacing: tuple[float, float, float],
    own: np.ndarray,
    order: tuple[int, int, int],
    flips: tuple[bool, bool, bool],
    seed: int,
) -> None:
    """The same voxels in another order, so with axes permuted and reversed, are the same image.

    Sizes are odd and no voxel lies on the image's very face: outside of it the nearest voxel counts, which is nobody's
    choice where two are as near.
    """
    extent = np.array(size) * spacing
    voxel = max(float(extent.max()) / 23.67, 0.2)
    pixels = np.random.default_rng(seed).normal(size=size[::-1]).astype(np.float32)
    image = image_of(size, spacing, own, pixels)
    other = stored_otherwise(image, order, flips)
    options: dict[str, Any] = {"spacing": voxel, "stride": 2, "direction": own, "quantize": False}
    try:
        one = disa.extract_features(image, **options)
    except disa.ImageError as error:
        assert "lies between its descriptors" in str(error)
        return
    two = disa.extract_features(other, **options)
    np.testing.assert_allclose(two.origin, one.origin, atol=1e-3 * voxel)
    assert np.abs(one.data).max() > 0
    np.testing.assert_allclose(two.data, one.data, atol=2e-3)
    np.testing.assert_allclose(two.weights, one.weights, atol=2e-3 * one.weights.max())
    inside = one.weights > 0
    index = np.argwhere(inside)[:, ::-1]
    points = np.array(one.origin) + index * one.spacing @ np.array(one.direction).reshape(3, 3).T
    where = np.array([image.TransformPhysicalPointToContinuousIndex(point) for point in points])
    assert (where > -0.5 - 1e-3).all() and (where < np.array(size) - 0.5 + 1e-3).all()
    assert not one.data[~inside].any()


def test_a_registration_does_not_depend_on_how_its_images_are_stored() -> None:
    fixed, moving, centre = displaced_images()
    turned = stored_otherwise(fixed, (2, 0, 1), (True, False, False))  # left-handed
    assert np.linalg.det(np.reshape(turned.GetDirection(), (3, 3))) < 0
    found = disa.register(turned, stored_otherwise(moving, (1, 0, 2), (False, True, True)))
    assert error_of(found.transform, centre) < 0.5


@pytest.mark.parametrize("size", [(1, 9, 9), (9, 9, 1), (1, 1, 1)])
def test_a_single_slice_is_refused(size: tuple[int, int, int]) -> None:
    image = image_of(size, (1.0, 1.0, 1.0), np.eye(3))
    with pytest.raises(disa.ImageError, match="2 slices or more"):
        disa.extract_features(image)


def test_two_voxels_an_axis_are_enough() -> None:
    pixels = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    image = image_of((2, 2, 2), (0.1, 3.0, 20.0), np.eye(3), pixels)
    for options in ({}, {"spacing": 0.5, "stride": 1}):
        features = disa.extract_features(image, **options)
        assert np.isfinite(features.weights).all() and features.weights.any()


@pytest.mark.parametrize("thickness", [0.1, 1.0, 2.5, 5.0, 7.9, 8.0, 8.1, 9.9, 10.0, 10.1, 12.0, 16.0])
@pytest.mark.parametrize("stride", [4, 2, 1])
def test_a_slab_has_descriptors_however_thin_it_is(thickness: float, stride: int) -> None:
    pixels = sitk.GetArrayFromImage(structured_image((24, 22, 20)))[7:9]
    image = image_of((24, 22, 2), (2.0, 2.0, thickness / 2), np.eye(3), pixels)
    features = disa.extract_features(image, stride=stride)
    layers = features.weights.any(axis=(1, 2))
    assert layers.any()
    where = features.origin[2] + np.flatnonzero(layers) * features.spacing[2]
    middle = image.GetOrigin()[2] + thickness / 4  # between the centres of two slices
    assert (np.abs(where - middle) <= thickness / 2 + 1e-3).all()
    if thickness < 8.0:
        assert np.abs(where - middle).min() < 1e-6


def test_a_slab_that_turned_axes_miss_is_refused() -> None:
    """Twelve voxels across, so no descriptor of a stride of 4 lies in its middle."""
    pixels = sitk.GetArrayFromImage(structured_image((24, 22, 20)))[7:9]
    image = image_of((24, 22, 2), (2.0, 2.0, 0.01), np.eye(3), pixels)
    turned = rotation(0.0, 25.0, 0.0)
    with pytest.raises(disa.ImageError, match=r"^image: lies between its descriptors, which are 8 mm apart; expected"):
        disa.extract_features(image, direction=turned)
    assert disa.extract_features(image, direction=turned, stride=1).weights.any()


def test_512_cubed_with_a_wrong_spacing_is_refused_before_memory_is_taken() -> None:
    """10 m a side; its grid would be 500 GB. The right one, 0.5 mm, is a grid of 16 MB."""
    image = image_of((512, 512, 512), (20.0,) * 3, np.eye(3))
    with pytest.raises(disa.ImageError, match=r"10240.*larger spacing or crop"):
        covering_grid(Grid.of(image), 2.0)
    image.SetSpacing((0.5,) * 3)
    assert np.prod(covering_grid(Grid.of(image), 2.0).size) < 4e6
