# SPDX-License-Identifier: Apache-2.0
"""What the pose search and the similarity map compute is what the metric does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import SimpleITK as sitk

import disa
from disa.core import FeatureVolume
from helpers.frames import place_of
from helpers.itk_metric import make_transform, metric_of, set_parameters
from helpers.pose_searches import pair_of, search_of, terms_of


@pytest.fixture
def pair(make_features: Callable[..., FeatureVolume]) -> tuple[FeatureVolume, FeatureVolume]:
    return pair_of(make_features)


@pytest.mark.parametrize("kind", ["rigid", "affine"])
def test_the_value_is_the_metrics(pair: tuple[FeatureVolume, FeatureVolume], kind: str) -> None:
    fixed, moving = pair
    search = search_of(fixed, kind)
    for parameters in search.draw(4, 30.0, 20.0, 1):
        matrix, offset = search.map(parameters)
        affine = make_transform("AffineTransform")
        affine.SetCenter((0.0, 0.0, 0.0))
        set_parameters(affine, [*matrix, *offset])
        value, _ = search.evaluate(parameters, terms_of(fixed, moving, both=False))
        assert value == pytest.approx(metric_of(fixed, moving, affine).GetValue(), rel=1e-9)


def test_between_cells_it_is_what_the_metric_takes(make_features) -> None:
    """One moving cell of weight 1 looked up by the metric in the fixed volume at the same point."""
    features = make_features(quantized=False)
    index = (3.3, 5.8, 2.1)
    one = make_features((1, 1, 1), seed=8, quantized=False, origin=(0.0, 0.0, 0.0))
    transform = make_transform("TranslationTransform")
    set_parameters(transform, place_of(features, index))
    metric = metric_of(one, features, transform)
    image = disa.similarity_map(features, place_of(features, index), one)
    assert sitk.GetArrayFromImage(image).item() == pytest.approx(-metric.GetValue(), rel=1e-5)
