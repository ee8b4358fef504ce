# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from helpers.images import structured_image

pytest.importorskip("scipy")

from mind import MindSSC
from mind_registration import register_global, register_local
from pairs import Pair

from disa.core import FeatureVolume
from disa.features.side import open_image_side
from disa.pose.options import SearchOptions


def pair_of(image: sitk.Image) -> Pair:
    """An image and its negative on a turned grid."""
    from geometry import sample_points, turned

    points = sample_points(image)
    moving = turned(100 - image, np.random.default_rng(0))
    return Pair(image, moving, None, None, points, points, sitk.Euler3DTransform())


def describe(image: sitk.Image, stride: int) -> FeatureVolume:
    return open_image_side(image, "fixed", None, MindSSC(centred=True)).features(2.0, stride)


def test_descriptors_are_of_unit_length_and_blind_to_a_negative() -> None:
    image = structured_image()
    one, negative = describe(image, 4), describe(-3 * image, 4)
    values = one.data.astype(float) * one.scale
    lengths = np.linalg.norm(values, axis=-1)[one.weights > 0]
    np.testing.assert_allclose(lengths, 1.0, atol=0.02)
    assert not values[..., 12:].any()
    np.testing.assert_allclose(values, negative.data.astype(float) * negative.scale, atol=0.03)


def test_finds_a_negative_again() -> None:
    pair = pair_of(structured_image())
    start = sitk.Euler3DTransform(pair.points.mean(axis=0).tolist(), 0.1, -0.05, 0.08, (6.0, -5.0, 4.0))
    assert pair.error(start) > 8.0
    result = register_local(pair, start, 0)
    assert pair.error(result.transform) < 1.5
    assert result.evaluations > 10
    assert pair.error(register_global(pair, start, SearchOptions(starts=50)).transform) < 1.5
