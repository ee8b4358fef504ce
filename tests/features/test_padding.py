# SPDX-License-Identifier: Apache-2.0
"""Where a volume was filled up with one value is told from what was imaged, and from the outline of a body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

from disa.features import cache
from disa.features.padding import seen_part
from disa.features.side import open_image_side
from disa.network.describer import Network
from helpers.images import rotation, structured_image


def onto_turned_grid(image: sitk.Image, padding: float, *degrees: float) -> tuple[sitk.Image, np.ndarray]:
    """The image on a grid turned about its middle, and where that grid holds it, shape (z, y, x)."""
    turn, size, spacing = rotation(*degrees), np.asarray(image.GetSize()), np.asarray(image.GetSpacing())
    middle = image.TransformContinuousIndexToPhysicalPoint(((size - 1) / 2).tolist())
    new_size = np.ceil(np.abs(turn.T) @ size).astype(int)
    origin = (middle - turn @ ((new_size - 1) / 2 * spacing)).tolist()
    place = (sitk.Transform(), sitk.sitkLinear, origin, spacing.tolist(), turn.ravel().tolist())
    turned = sitk.Resample(image, new_size.tolist(), *place, padding)
    return turned, sitk.GetArrayFromImage(sitk.Resample(image * 0 + 1, new_size.tolist(), *place, 0.0)) > 0


@pytest.mark.parametrize("degrees", [(0, 0, 12), (10, -8, 6), (25, 20, -15)])
@pytest.mark.parametrize("padding", [-1000.0, 0.0])
def test_a_turned_volume_is_known_to_a_voxel(degrees: tuple[float, ...], padding: float) -> None:
    turned, truth = onto_turned_grid(structured_image((60, 56, 52), seed=6), padding, *degrees)
    seen = seen_part(turned)
    assert seen is not None
    found = sitk.GetArrayFromImage(seen) > 0
    deep = sitk.GetArrayFromImage(sitk.BinaryErode(sitk.GetImageFromArray(truth.astype(np.uint8)), [3] * 3)) > 0
    assert np.count_nonzero(found & ~truth) == 0
    assert np.count_nonzero(deep & ~found) == 0


def ball(size: int = 56) -> sitk.Image:
    image = structured_image((size, size, size), seed=2)
    places = np.indices((size,) * 3) - (size - 1) / 2
    pixels = np.where(np.sqrt((places**2).sum(axis=0)) < 0.4 * size, sitk.GetArrayFromImage(image), 0.0)
    body = sitk.GetImageFromArray(pixels.astype(np.float32))
    body.CopyInformation(image)
    return body


def limb() -> sitk.Image:
    image = structured_image((56, 56, 48), seed=5)
    _, j, i = np.indices((48, 56, 56))
    pixels = np.where(np.hypot(i - 28, 1.3 * (j - 28)) < 22, sitk.GetArrayFromImage(image), 0.0)
    body = sitk.GetImageFromArray(pixels.astype(np.float32))
    body.CopyInformation(image)
    return body


@pytest.mark.parametrize("make", [structured_image, ball, limb, lambda: structured_image() * 0])
def test_a_volume_that_is_not_padded_is_seen_everywhere(make: Callable[[], sitk.Image]) -> None:
    assert seen_part(make()) is None


def test_padding_has_no_descriptors_and_no_edge() -> None:
    """Well inside, descriptors of the padded volume are nearer to those of the same grid that was seen whole."""
    whole = structured_image((96, 92, 88), seed=6)
    cut = sitk.RegionOfInterest(whole, (52, 50, 48), (22, 21, 20))
    padded, truth = onto_turned_grid(cut, 0.0, 12, -9, 15)
    complete = sitk.Resample(whole, padded, sitk.Transform(), sitk.sitkLinear)
    sides = [open_image_side(image, "fixed", None, Network()) for image in (padded, complete)]
    found, wanted = (side.features(2.0, 2) for side in sides)
    blind = open_image_side(padded, "fixed", None, Network())
    blind._seen = None  # as if the padding were part of the image
    cache.clear()
    edged = blind.features(2.0, 2)
    inside = found.weights > 0
    assert 0.2 < inside.mean() < truth.mean()
    assert not found.data[~inside].any()
    errors = [
        np.linalg.norm(one.data[inside] * one.scale - wanted.data[inside] * wanted.scale, axis=-1).mean()
        for one in (found, edged)
    ]
    assert errors[0] < 0.8 * errors[1]
