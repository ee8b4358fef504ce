# SPDX-License-Identifier: Apache-2.0
"""The metric under B-splines, displacement fields and composites with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import disa
import itk
from helpers.images import rotation
from helpers.itk_chains import FIELDS, b_spline, check_slopes, composite, deformable_metric, field, grid, move, volumes
from helpers.itk_metric import (
    Metric,
    box,
    make_transform,
    metric_of,
    reference_value,
    set_parameters,
    value_and_derivative,
)


@pytest.mark.parametrize("quantized", [False, True], ids=["float", "int8"])
@pytest.mark.parametrize(
    "make", [b_spline, *(lambda name=name: field(name) for name in FIELDS)], ids=["BSpline", *FIELDS]
)
def test_the_derivative_is_the_values_slope(make_features, make: Callable[[], Any], quantized: bool) -> None:
    transform = make()
    metric = deformable_metric(*volumes(make_features, quantized), transform)
    rng = np.random.default_rng(3)
    check_slopes(metric, transform, rng)
    for _ in range(4):
        move(transform, rng)
        check_slopes(metric, transform, rng)


@pytest.mark.parametrize(
    "make",
    [
        lambda: b_spline((3, 4, 5), rotation(9, 4, -7)),
        lambda: b_spline((1, 1, 1)),
        lambda: field(like=grid(9.3, (11, 1, 9), rotation(3, -9, 6))),
    ],
    ids=["turned", "one mesh cell", "one slice of nodes"],
)
def test_the_value_is_equation_2_under_itks_own_mapping(make_features, make: Callable[[], Any]) -> None:
    fixed, moving = make_features((6, 7, 8), seed=1), make_features((13, 12, 14), seed=2, spacing=4.0)
    transform = make()
    move(transform, np.random.default_rng(4))
    metric = metric_of(fixed, moving, composite(transform, make_transform("TranslationTransform")))
    assert metric.GetValue() == pytest.approx(reference_value(fixed, moving, transform), rel=1e-6)


def affine(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    transform = make_transform("AffineTransform")
    set_parameters(transform, [*(np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3))).ravel(), *rng.uniform(-5, 5, 3)])
    return transform


def moved(transform: Any, seed: int, amplitude: float = 3.0) -> Any:
    move(transform, np.random.default_rng(seed), amplitude)
    return transform


@pytest.mark.parametrize(
    "make",
    [
        lambda: (affine(1), b_spline()),
        lambda: (affine(1), field()),
        lambda: (moved(b_spline(), 2), affine(3)),
        lambda: (moved(field(), 2), affine(3)),
        lambda: (moved(b_spline((5, 5, 5)), 2), affine(4), field()),
        lambda: (moved(field(), 2), b_spline()),
        lambda: (affine(1), composite(moved(field(), 2), affine(4)), b_spline()),
    ],
    ids=[
        "affine after B-spline",
        "affine after field",
        "B-spline after affine",
        "field after affine",
        "B-spline after affine after field",
        "field after B-spline",
        "a composite within",
    ],
)
def test_a_composite_optimises_its_last_transform_through_the_others(
    make_features, make: Callable[[], tuple[Any, ...]]
) -> None:
    transforms = make()
    metric = deformable_metric(*volumes(make_features), composite(*transforms))
    rng = np.random.default_rng(5)
    check_slopes(metric, transforms[-1], rng)
    if transforms[-1].GetNumberOfParameters() > 12:
        move(transforms[-1], rng)
        check_slopes(metric, transforms[-1], rng)


class Several:
    """Parameters of several transforms in ITK's order; a composite of ITK's crashes when a B-spline's are set."""

    def __init__(self, *transforms: Any) -> None:
        self.transforms = transforms

    def GetParameters(self) -> list[float]:
        return [value for transform in reversed(self.transforms) for value in transform.GetParameters()]

    def SetParameters(self, parameters: Any) -> None:
        values = list(parameters)
        for transform in reversed(self.transforms):
            count = transform.GetNumberOfParameters()
            set_parameters(transform, values[:count])
            del values[:count]


def test_a_composite_optimises_several_transforms_at_once(make_features) -> None:
    transforms = affine(1), moved(b_spline(), 3), affine(2), moved(field(), 4)
    whole = composite(*transforms)
    whole.SetAllTransformsToOptimizeOn()
    metric = deformable_metric(*volumes(make_features), whole)
    check_slopes(metric, Several(*transforms), np.random.default_rng(6))


@pytest.mark.parametrize("make", [b_spline, field], ids=["BSpline", "field"])
def test_a_deformable_fixed_transform_moves_the_samples(make_features, make: Callable[[], Any]) -> None:
    """With the same transform on both sides a fixed cell's moving point is the cell, wherever it has an inverse."""
    features = make_features(seed=1, quantized=False)
    transform = moved(make(), 7, amplitude=1.0)
    metric = Metric.New(FixedImage=box(features), MovingImage=box(features), MovingTransform=transform)
    metric.SetFixedTransform(transform)
    metric.SetFixedFeatures(features)
    metric.SetMovingFeatures(features)
    metric.SetVirtualDomainFromImage(grid())
    metric.Initialize()
    value = metric.GetValue()
    cells = np.einsum("zyxc,zyxc->zyx", features.data, features.data)
    # Every sample adds w |phi|^2; the samples are most of the cells.
    assert metric.GetNumberOfValidPoints() > 0.7 * features.weights.size
    low, high = np.average(cells, weights=features.weights) * np.array([0.97, 1.03])
    assert low < -value < high


def test_results_do_not_depend_on_the_work_units(make_features) -> None:
    fixed, moving = make_features((24, 24, 24)), make_features((24, 24, 24), seed=4)
    for transform in (
        moved(b_spline(), 0),
        moved(field(), 0),
        composite(moved(b_spline(), 1), moved(field(), 0), moved(b_spline(), 2)),
    ):
        metric = deformable_metric(fixed, moving, transform)
        results = set()
        for units in (1, 2, 3, 16, 1):
            metric.SetMaximumNumberOfWorkUnits(units)
            value, derivative = value_and_derivative(metric)
            results.add((value, derivative.tobytes()))
        assert len(results) == 1


def test_a_mask_takes_moving_cells_under_a_b_spline(make_features) -> None:
    fixed, moving = volumes(make_features)
    transform = moved(b_spline(), 8)
    metric = deformable_metric(fixed, moving, transform)
    everything = metric.GetValue()
    ball = itk.EllipseSpatialObject[3].New(RadiusInObjectSpace=[30.0] * 3)
    ball.SetCenterInObjectSpace([50.0, 25.0, 50.0])
    ball.Update()
    metric.SetMovingImageMask(ball)
    metric.Initialize()
    check_slopes(metric, transform, np.random.default_rng(9))
    axes = np.reshape(moving.direction, (3, 3)) * moving.spacing
    places = np.array([axes @ index[::-1] + moving.origin for index in np.ndindex(*moving.weights.shape)])
    inside = (np.linalg.norm(places - [50.0, 25.0, 50.0], axis=1) <= 30.0).reshape(moving.weights.shape)
    cut = moving.replaced(data=moving.data * inside[..., None].astype(moving.data.dtype))
    assert metric.GetValue() == pytest.approx(deformable_metric(fixed, cut, transform).GetValue(), rel=1e-6)
    assert metric.GetValue() != pytest.approx(everything, rel=1e-2)


def test_derivatives_of_a_field_have_the_layout_of_itks_local_support(make_features) -> None:
    transform = field()
    metric = deformable_metric(*volumes(make_features), transform)
    assert metric.HasLocalSupport()
    assert metric.GetNumberOfLocalParameters() == 3
    # A sampled point on one voxel, as ITK's metrics sample: only that voxel's three parameters act.
    index = itk.Index[3]()
    for axis, value in enumerate((4, 6, 7)):
        index.SetElement(axis, value)
    place = grid().TransformIndexToPhysicalPoint(index)
    points = itk.PointSet[itk.F, 3].New()
    points.SetPoint(0, list(place))
    metric.SetFixedSampledPointSet(points)
    metric.SetUseSampledPointSet(True)
    metric.Initialize()
    _, derivative = value_and_derivative(metric)
    offset = metric.ComputeParameterOffsetFromVirtualIndex(index, 3)
    strongest = np.flatnonzero(np.abs(derivative) > 1e-4 * np.abs(derivative).max())
    assert strongest.tolist() == [offset, offset + 1, offset + 2]


def wrongly_interpolated() -> Any:
    transform = field()
    kind = itk.VectorNearestNeighborInterpolateImageFunction[type(transform.GetDisplacementField()), itk.D]
    transform.SetInterpolator(kind.New())
    return transform


@pytest.mark.parametrize(
    "name",
    [
        "ConstantVelocityFieldTransform",
        "GaussianExponentialDiffeomorphicTransform",
        "BSplineExponentialDiffeomorphicTransform",
    ],
)
def test_an_exponential_transform_is_its_displacement_field(make_features, name: str) -> None:
    """As ITK's own metrics have it, the derivative is that by the displacement, not by the velocity."""
    velocity = moved(field(), 8)
    transform = getattr(itk, name)[itk.D, 3].New()
    transform.SetConstantVelocityField(velocity.GetDisplacementField())
    transform.IntegrateVelocityField()
    plain = itk.DisplacementFieldTransform[itk.D, 3].New()
    plain.SetDisplacementField(transform.GetDisplacementField())
    results = [
        value_and_derivative(deformable_metric(*volumes(make_features), t)) for t in (transform, plain, velocity)
    ]
    assert results[0][0] == results[1][0] != results[2][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])


def varying_velocity(name: str) -> Any:
    """A transform of 4 random velocity fields, integrated."""
    like = grid()
    velocity = itk.Image[itk.Vector[itk.D, 3], 4].New()
    velocity.SetRegions([*like.GetLargestPossibleRegion().GetSize(), 4])
    velocity.SetOrigin([*like.GetOrigin(), 0.0])
    velocity.SetSpacing([*like.GetSpacing(), 1 / 3])
    velocity.AllocateInitialized()
    pixels = itk.array_view_from_image(velocity)
    pixels[...] = np.random.default_rng(9).normal(scale=3.0, size=pixels.shape)
    transform = getattr(itk, name)[itk.D, 3].New()
    transform.SetVelocityField(velocity)
    transform.IntegrateVelocityField()
    return transform


VARYING = ("TimeVaryingVelocityFieldTransform", "GaussianSmoothingOnUpdateTimeVaryingVelocityFieldTransform")


@pytest.mark.parametrize("name", VARYING)
def test_a_time_varying_velocity_field_moves_points_but_is_not_optimised(make_features, name: str) -> None:
    fixed, moving = volumes(make_features)
    transform = varying_velocity(name)
    before = affine(3)
    metric = deformable_metric(fixed, moving, composite(transform, before))
    check_slopes(metric, before, np.random.default_rng(3))
    plain = itk.DisplacementFieldTransform[itk.D, 3].New()
    plain.SetDisplacementField(transform.GetDisplacementField())
    without = deformable_metric(fixed, moving, before).GetValue()
    assert metric.GetValue() == deformable_metric(fixed, moving, composite(plain, before)).GetValue() != without
    with pytest.raises(disa.RegistrationError, match=f"^DISAImageToImageMetricv4 cannot optimise a {name}: ") as caught:
        deformable_metric(fixed, moving, transform)
    assert "\n" not in str(caught.value)


def spoiled(transform: Any, value: float) -> Any:
    """One of its parameters is no number."""
    parameters = np.zeros(transform.GetNumberOfParameters())
    parameters[7] = value
    set_parameters(transform, parameters)
    return transform


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        *(
            (lambda name=name: getattr(itk, name)[itk.D, 3].New(), f"{name} has no displacement field")
            for name in (*FIELDS, "ConstantVelocityFieldTransform", "TimeVaryingVelocityFieldTransform")
        ),
        (lambda: composite(affine(1), itk.DisplacementFieldTransform[itk.D, 3].New()), "has no displacement field"),
        (lambda: itk.AzimuthElevationToCartesianTransform[itk.D, 3].New(), "got a AzimuthElevation"),
        (lambda: itk.ThinPlateSplineKernelTransform[itk.D, 3].New(), "got a ThinPlateSpline"),
        (lambda: composite(affine(1), itk.ThinPlateSplineKernelTransform[itk.D, 3].New()), "got a ThinPlateSpline"),
        (lambda: field(like=grid(6.0)), "Virtual Domain and DisplacementField do not occupy the same physical space"),
        (lambda: field(like=grid(size=(5, 5, 5))), "must have the same size"),
        (lambda: spoiled(field(), np.nan), "DisplacementFieldTransform has NaN or infinity"),
        (lambda: composite(spoiled(b_spline(), np.inf), affine(1)), "BSplineTransform has NaN or infinity"),
    ],
)
def test_what_cannot_be_optimised_is_refused_in_one_line(make_features, make: Callable[[], Any], expected: str) -> None:
    with pytest.raises(disa.RegistrationError, match=expected) as caught:
        deformable_metric(*volumes(make_features), make())
    assert "\n" not in str(caught.value)
