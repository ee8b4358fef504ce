# SPDX-License-Identifier: Apache-2.0
"""DISA and a metric of ITK's as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from helpers.displaced import error_of
from helpers.images import structured_image
from helpers.itk_metric import ImageType, Metric, set_parameters, value_and_derivative
from helpers.itk_registration import displaced_pair, method_of, rigid
from helpers.simpleitk_engine import moved

Multi = itk.ObjectToObjectMultiMetricv4[3, 3, ImageType]
Correlation = itk.CorrelationImageToImageMetricv4[ImageType, ImageType]


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any, list[float]]:
    return displaced_pair()


def both(pair: tuple[Any, Any, list[float]], transform: Any) -> tuple[Any, list[Any]]:
    metrics = [
        kind.New(FixedImage=pair[0], MovingImage=pair[1], MovingTransform=transform) for kind in (Metric, Correlation)
    ]
    multi = Multi.New()
    for metric in metrics:
        multi.AddMetric(metric)
    return multi, metrics


def test_value_and_derivative_are_the_parts_as_itk_weighs_them(pair: tuple[Any, Any, list[float]]) -> None:
    transform = rigid(pair[2])
    set_parameters(transform, [0.02, -0.03, 0.05, 2.0, -1.0, 1.5])
    multi, metrics = both(pair, transform)
    assert multi.GetNumberOfMetrics() == 2
    multi.SetMetricWeights([3.0, 1.0])
    multi.Initialize()
    assert multi.GetMetricWeights() == [0.75, 0.25]
    value, derivative = value_and_derivative(multi)
    parts = [value_and_derivative(metric) for metric in metrics]
    assert value == parts[0][0]
    assert multi.GetValueArray() == pytest.approx([part[0] for part in parts], rel=1e-9)
    assert multi.GetWeightedValue() == pytest.approx(0.75 * parts[0][0] + 0.25 * parts[1][0], rel=1e-9)
    lengths = [np.linalg.norm(part[1]) for part in parts]
    expected = sum(w * part[1] / n for w, part, n in zip((0.75, 0.25), parts, lengths, strict=True)) * np.mean(lengths)
    np.testing.assert_allclose(derivative, expected, rtol=1e-6)


def test_itks_registration_method_takes_it(pair: tuple[Any, Any, list[float]]) -> None:
    transform = rigid(pair[2])
    multi, _ = both(pair, transform)
    scales = itk.RegistrationParameterScalesFromPhysicalShift[type(multi)].New(Metric=multi)
    optimizer = itk.RegularStepGradientDescentOptimizerv4[itk.D].New(
        ScalesEstimator=scales, LearningRate=3.0, MinimumStepLength=0.01, NumberOfIterations=60
    )
    method = method_of(pair, multi, optimizer, transform, levels=1)
    method.SetFixedImage(1, pair[0])
    method.SetMovingImage(1, pair[1])
    before = error_of(transform, pair[2])
    method.Update()
    assert before > 8.0
    assert error_of(transform, pair[2]) < 1.5


@pytest.mark.parametrize("source", ["PhysicalShift", "Jacobian"])
def test_scales_are_those_of_the_metric_alone(pair: tuple[Any, Any, list[float]], source: str) -> None:
    multi, metrics = both(pair, rigid(pair[2]))
    multi.Initialize()
    found = []
    for metric in (multi, metrics[0]):
        template = getattr(itk, f"RegistrationParameterScalesFrom{source}")
        scales = itk.OptimizerParameters[itk.D]()
        template[type(metric)].New(Metric=metric).EstimateScales(scales)
        found.append(list(scales))
    np.testing.assert_allclose(*found, rtol=1e-6)


PIXELS = {"F": itk.F, "D": itk.D}

IMAGE_METRICS = sorted(
    name
    for name in dir(itk)
    if name.endswith("ImageToImageMetricv4")
    and name not in ("ImageToImageMetricv4", "DISAImageToImageMetricv4")  # abstract, and ours
)


@pytest.fixture(scope="module")
def small() -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Pixels of an image and of the same moved, voxels of 2 mm, and the centre."""
    fixed = structured_image((26, 24, 22), seed=3)
    return sitk.GetArrayFromImage(fixed), sitk.GetArrayFromImage(moved(fixed)), [24.0, 22.0, 20.0]


def small_images(small: tuple[np.ndarray, np.ndarray, list[float]], letter: str) -> list[Any]:
    images = []
    for pixels in small[:2]:
        image = itk.image_from_array(pixels.astype(np.float32 if letter == "F" else np.float64))
        image.SetSpacing([2.0] * 3)
        images.append(image)
    return images


def test_the_wheel_has_the_metrics_that_are_tried_here() -> None:
    assert IMAGE_METRICS == [
        "ANTSNeighborhoodCorrelationImageToImageMetricv4",
        "CorrelationImageToImageMetricv4",
        "DemonsImageToImageMetricv4",
        "JointHistogramMutualInformationImageToImageMetricv4",
        "MattesMutualInformationImageToImageMetricv4",
        "MeanSquaresImageToImageMetricv4",
    ]


def beside_disa(name: str, letter: str, images: list[Any], transform: Any) -> tuple[Any, list[Any]]:
    """A multi-metric of DISA and another metric, and the two."""
    kind = itk.Image[PIXELS[letter], 3]
    parts = [
        getattr(itk, metric)[kind, kind].New(FixedImage=images[0], MovingImage=images[1], MovingTransform=transform)
        for metric in ("DISAImageToImageMetricv4", name)
    ]
    multi = itk.ObjectToObjectMultiMetricv4[3, 3, kind].New()
    for part in parts:
        multi.AddMetric(part)
    return multi, parts


@pytest.mark.parametrize("letter", PIXELS)
@pytest.mark.parametrize("name", IMAGE_METRICS)
def test_every_image_metric_of_the_wheel_is_weighed_beside_disa(small: Any, name: str, letter: str) -> None:
    if name.startswith("Demons"):
        transform = itk.DisplacementFieldTransform[itk.D, 3].New()
        transform.SetDisplacementField(field_over(small_images(small, letter)[0]))
    else:
        transform = itk.TranslationTransform[itk.D, 3].New()
    multi, parts = beside_disa(name, letter, small_images(small, letter), transform)
    assert multi.GetNumberOfMetrics() == 2
    multi.SetMetricWeights([1.0, 3.0])
    multi.Initialize()
    multi.GetValue()
    alone = []
    for part in parts:
        part.Initialize()
        alone.append(part.GetValue())
    assert alone[0] != alone[1] != 0.0
    assert multi.GetValueArray() == pytest.approx(alone, rel=1e-6)
    assert multi.GetWeightedValue() == pytest.approx(0.25 * alone[0] + 0.75 * alone[1], rel=1e-6)


@pytest.mark.parametrize("letter", PIXELS)
@pytest.mark.parametrize("name", IMAGE_METRICS)
def test_every_image_metric_of_the_wheel_is_registered_by_beside_disa(small: Any, name: str, letter: str) -> None:
    images = small_images(small, letter)
    kind = itk.Image[PIXELS[letter], 3]
    local = name.startswith("Demons")  # which takes displacement fields alone
    if local:
        transform = itk.DisplacementFieldTransform[itk.D, 3].New()
        transform.SetDisplacementField(field_over(images[0]))
    else:
        transform = itk.TranslationTransform[itk.D, 3].New()
    multi, parts = beside_disa(name, letter, images, transform)
    multi.SetMetricWeights([0.25, 0.75])
    optimizer = itk.GradientDescentOptimizerv4Template[itk.D].New(NumberOfIterations=3)
    optimizer.SetMaximumStepSizeInPhysicalUnits(0.5)
    optimizer.SetLearningRate(0.5)
    if not local:
        optimizer.SetScalesEstimator(itk.RegistrationParameterScalesFromPhysicalShift[type(multi)].New(Metric=multi))
    method = itk.ImageRegistrationMethodv4[kind, kind].New(Metric=multi, Optimizer=optimizer)
    method.SetInitialTransform(transform)
    method.InPlaceOn()
    method.SetNumberOfLevels(1)
    method.SetShrinkFactorsPerLevel([1])
    method.SetSmoothingSigmasPerLevel([0])
    for n in range(2):
        method.SetFixedImage(n, images[0])
        method.SetMovingImage(n, images[1])
    method.Update()
    assert optimizer.GetCurrentIteration() == 3
    assert np.abs(np.array(list(transform.GetParameters()))).max() > 0.05
    assert np.isfinite(multi.GetValueArray()).all()
    assert multi.GetWeightedValue() == pytest.approx(
        0.25 * multi.GetValueArray()[0] + 0.75 * multi.GetValueArray()[1], rel=1e-9
    )
    del method, optimizer, multi
    assert [part.GetReferenceCount() for part in parts] == [1, 1]


def field_over(image: Any) -> Any:
    """No displacement, at each voxel of an image."""
    field = itk.Image[itk.Vector[itk.D, 3], 3].New()
    field.CopyInformation(image)
    field.SetRegions(image.GetLargestPossibleRegion())
    field.Allocate()
    field.FillBuffer([0.0] * 3)
    return field


def no_metrics() -> dict[str, Any]:
    double, flat, points = itk.Image[itk.D, 3], itk.Image[itk.F, 2], itk.PointSet[itk.F, 3]
    base = "PointSetToPointSetMetricv4"
    others = [name for name in dir(itk) if name.endswith(base) and name != base]
    made = {name: getattr(itk, name)[itk.PointSet[itk.SS, 3]].New() for name in others}
    return made | {
        "EuclideanDistancePointSetToPointSetMetricv4 of floats": itk.EuclideanDistancePointSetToPointSetMetricv4[
            points
        ].New(),
        "double": itk.MeanSquaresImageToImageMetricv4[double, double].New(),
        "flat": itk.MeanSquaresImageToImageMetricv4[flat, flat].New(),
        "multi": Multi.New(),
        "class": Correlation,
        "image": ImageType.New(),
        "number": 3,
        "none": None,
    }


def test_what_is_no_metric_of_such_images_is_refused_in_one_line() -> None:
    refused = no_metrics()
    assert sum("PointSet" in name for name in refused) == 5
    for name, value in refused.items():
        multi = Multi.New()
        with pytest.raises(TypeError, match=r"^AddMetric: expected a metric of two 3-D images, one of itk\.") as caught:
            multi.AddMetric(value)
        assert "[itk.Image[itk.F, 3], itk.Image[itk.F, 3]]; got " in str(caught.value), name
        assert "\n" not in str(caught.value)
        assert multi.GetNumberOfMetrics() == 0
    with pytest.raises(disa.RegistrationError, match="No metrics are assigned"):
        Multi.New().Initialize()


def test_point_set_metrics_are_refused_by_the_multi_metric_of_doubles_too() -> None:
    """Their virtual images are of doubles, so the class would take them, and ITK's registration method would crash."""
    metric = itk.EuclideanDistancePointSetToPointSetMetricv4[itk.PointSet[itk.F, 3]].New()
    with pytest.raises(TypeError, match=r"expected a metric of two 3-D images.*itk\.D.*got itk\.Euclidean"):
        itk.ObjectToObjectMultiMetricv4[3, 3, itk.Image[itk.D, 3]].New().AddMetric(metric)


def test_it_keeps_its_metrics_alive(pair: tuple[Any, Any, list[float]]) -> None:
    multi, metrics = both(pair, rigid(pair[2]))
    assert [metric.GetReferenceCount() for metric in metrics] == [2, 2]
    multi.ClearMetricQueue()
    assert [metric.GetReferenceCount() for metric in metrics] == [1, 1]
    assert multi.GetReferenceCount() == 1
