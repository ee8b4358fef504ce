from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from helpers.itk_chains import b_spline, composite, field
from helpers.itk_metric import ImageType, Metric, make_transform, set_parameters, to_itk


@pytest.mark.parametrize("mm", [24.0, 0.0])
def test_the_metric_smooths_the_moving_descriptors_only(image: sitk.Image, mm: float) -> None:
    metric = Metric.New(FixedImage=to_itk(image), MovingImage=to_itk(image), VoxelSpacing=2.0)
    assert metric.GetFeatureSmoothing() == 24.0
    metric.SetFeatureSmoothing(mm)
    metric.Initialize()
    fixed, moving = metric.GetFixedFeatures(), metric.GetMovingFeatures()
    np.testing.assert_array_equal(fixed.data, disa.extract_features(image, spacing=2.0, stride=4).data)
    spacing = moving.spacing[0] / 2
    expected = disa.extract_features(image, spacing=spacing, stride=2, smoothing=mm)
    np.testing.assert_array_equal(moving.data, expected.data)


def test_each_further_level_halves_the_smoothing_and_a_new_registration_starts_wide(image: sitk.Image) -> None:
    fixed = to_itk(image)
    metric = Metric.New()
    for _ in range(2):
        by_level: dict[int, float] = {}
        transform = itk.Euler3DTransform[itk.D].New()
        set_parameters(transform, [0.02, 0.0, 0.0, 3.0, -2.0, 0.0])
        optimizer = itk.LBFGS2Optimizerv4Template[itk.D].New(MaximumIterations=5)
        method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
            FixedImage=fixed, MovingImage=fixed, Metric=metric, Optimizer=optimizer, InitialTransform=transform
        )
        method.SetNumberOfLevels(3)
        method.SetShrinkFactorsPerLevel([1] * 3)
        method.SetSmoothingSigmasPerLevel([0] * 3)
        method.InPlaceOn()

        def record(method: Any = method, by_level: dict[int, float] = by_level) -> None:
            by_level[int(method.GetCurrentLevel())] = metric.GetCurrentFeatureSmoothing()

        optimizer.AddObserver(itk.StartEvent(), record)
        method.Update()
        assert by_level == {0: 24.0, 1: 12.0, 2: 6.0}


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
    assert metric.GetFeatureSmoothing() == expected
    metric.SetFeatureSmoothing(5.0)
    assert metric.GetFeatureSmoothing() == 5.0


def test_only_an_optimiser_starts_a_further_level(image: sitk.Image) -> None:
    transform = itk.Euler3DTransform[itk.D].New()
    metric = Metric.New(FixedImage=to_itk(image), MovingImage=to_itk(image), MovingTransform=transform)
    metric.Initialize()
    value = metric.GetValue()
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 24.0
    assert metric.GetValue() == value

    metric.SetParameters(transform.GetParameters())
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 12.0
    assert metric.GetValue() < value  # a narrower kernel, a sharper optimum

    metric.SetParameters(transform.GetParameters())
    set_parameters(transform, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 24.0

    metric.SetParameters(transform.GetParameters())
    metric.SetFeatureSmoothing(8.0)
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 8.0

    metric.SetParameters(transform.GetParameters())
    metric.SetMovingImage(to_itk(image + 1.0))
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 8.0
