# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from disa.core import _core
from disa.geometry.grid import Grid
from helpers.itk_chains import b_spline, composite, field
from helpers.itk_metric import ImageType, Metric, make_transform, set_parameters, to_itk


@pytest.mark.parametrize("mm", [24.0, 12.0, 0.0])
def test_samples_are_sharp_and_what_they_are_read_in_is_smoothed(image: sitk.Image, mm: float) -> None:
    metric = Metric.New(FixedImage=to_itk(image), MovingImage=to_itk(image), VoxelSpacing=2.0, FeatureSmoothing=mm)
    metric.Initialize()
    fixed, moving = metric.GetFixedFeatures(), metric.GetMovingFeatures()
    dense = disa.extract_features(image, spacing=2.0, stride=2)
    read = disa.extract_features(image, spacing=moving.spacing[0] / 2, stride=2)
    if mm < 24.0:  # less than the widest kernel, so they are centred
        dense, read = (_core.centred(of, _core.mean_of(of)) for of in (dense, read))
    if mm > 0.0:
        read = _core.widen(read, Grid.of(image), mm)
    samples = dense.data[::2, ::2, ::2] * dense.scale
    np.testing.assert_allclose(fixed.data * fixed.scale, samples, atol=1.5 * fixed.scale)
    np.testing.assert_array_equal(moving.data, read.data)


@pytest.mark.parametrize(
    ("shrink", "expected"),
    [
        ([4, 2, 1], {0: 24.0, 1: 12.0, 2: 0.0}),
        ([3, 2], {0: 24.0, 1: 12.0}),
        ([8, 4, 2, 1], {0: 24.0, 1: 24.0, 2: 12.0, 3: 0.0}),
        ([1], {0: 0.0}),
    ],
)
def test_shrink_factors_say_how_smooth_a_level_is(
    image: sitk.Image, shrink: list[int], expected: dict[int, float]
) -> None:
    assert smoothing_by_level(image, Metric.New(), shrink) == expected


def test_a_second_run_of_a_metric_begins_anew(image: sitk.Image) -> None:
    metric = Metric.New()
    runs = [smoothing_by_level(image, metric, [2, 1]) for _ in range(2)]
    assert runs == [{0: 12.0, 1: 0.0}] * 2


def smoothing_by_level(image: sitk.Image, metric: Any, shrink: list[int], remaining: bool = False) -> dict[int, float]:
    """The smoothing in use when each level starts; with `remaining` the script says how many levels follow."""
    by_level: dict[int, float] = {}
    transform = itk.Euler3DTransform[itk.D].New()
    set_parameters(transform, [0.02, 0.0, 0.0, 3.0, -2.0, 0.0])
    optimizer = itk.LBFGS2Optimizerv4Template[itk.D].New(MaximumIterations=5)
    method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
        FixedImage=to_itk(image), MovingImage=to_itk(image), Metric=metric, Optimizer=optimizer
    )
    method.SetInitialTransform(transform)
    method.SetNumberOfLevels(len(shrink))
    method.SetShrinkFactorsPerLevel(shrink)
    method.SetSmoothingSigmasPerLevel([0] * len(shrink))
    if remaining:
        count = len(shrink)

        def tell() -> None:
            metric.SetRemainingLevels(count - 1 - int(method.GetCurrentLevel()))

        method.AddObserver(itk.MultiResolutionIterationEvent(), tell)

    def record() -> None:
        by_level[int(method.GetCurrentLevel())] = metric.GetCurrentFeatureSmoothing()

    optimizer.AddObserver(itk.StartEvent(), record)
    method.Update()
    return by_level


def test_an_observer_may_say_how_many_levels_follow(image: sitk.Image) -> None:
    assert smoothing_by_level(image, Metric.New(), [1, 1], remaining=True) == {0: 12.0, 1: 0.0}


def test_what_is_set_holds_at_every_level(image: sitk.Image) -> None:
    assert smoothing_by_level(image, Metric.New(FeatureSmoothing=7.0), [4, 1]) == {0: 7.0, 1: 7.0}


@pytest.mark.parametrize("levels", [-1, 1.5, "2", 10**9])
def test_a_number_of_levels_that_is_none_is_refused(levels: Any) -> None:
    with pytest.raises(disa.RegistrationError, match=r"^SetRemainingLevels: expected") as caught:
        Metric.New().SetRemainingLevels(levels)
    assert "\n" not in str(caught.value)


RIGID = (
    "TranslationTransform",
    "Euler3DTransform",
    "CenteredEuler3DTransform",
    "VersorTransform",
    "VersorRigid3DTransform",
)
SCALING = (
    "ScaleTransform",
    "ScaleLogarithmicTransform",
    "Similarity3DTransform",
    "ScaleVersor3DTransform",
    "ScaleSkewVersor3DTransform",
    "ComposeScaleSkewVersor3DTransform",
    "AffineTransform",
    "CenteredAffineTransform",
)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        *((lambda name=name: make_transform(name), 24.0) for name in RIGID),
        *((lambda name=name: make_transform(name), 0.0) for name in SCALING),
        (b_spline, 0.0),
        (field, 0.0),
        (lambda: composite(make_transform("AffineTransform"), make_transform("Euler3DTransform")), 24.0),
        (lambda: composite(make_transform("Euler3DTransform"), make_transform("AffineTransform")), 0.0),
    ],
    ids=[*RIGID, *SCALING, "BSpline", "field", "rigid before affine", "affine before rigid"],
)
def test_transforms_that_may_scale_or_deform_are_not_smoothed_unless_asked(
    make: Callable[[], Any], expected: float
) -> None:
    transform = make()
    if "Matrix" in dir(transform):  # at a turn, too
        set_parameters(transform, np.array(list(transform.GetParameters())) + 0.05)
    metric = Metric.New(MovingTransform=transform)
    assert metric.GetFeatureSmoothing() == 0.0
    metric.SetRemainingLevels(2)
    assert metric.GetFeatureSmoothing() == expected
    metric.SetFeatureSmoothing(5.0)
    assert metric.GetFeatureSmoothing() == 5.0
