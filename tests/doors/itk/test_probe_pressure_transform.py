# SPDX-License-Identifier: Apache-2.0
"""`itk.ProbePressureTransform`: formula, Jacobians, inverse, files, and registrations by ITK with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from disa.core import FeatureVolume
from helpers.images import rotation, structured_image
from helpers.itk_metric import (
    ImageType,
    box,
    central_differences,
    metric_of,
    reference_value,
    to_itk,
    value_and_derivative,
)
from helpers.known_pose import CORNERS, FAR, waves

PROBE = disa.ProbePressure(contact=(50.0, 25.0, -10.0), axis=(0.2, 0.6, 0.8), depth=90.0)
CENTRE = (55.0, 28.0, 55.0)
PARAMETERS = (0.2, -0.15, 0.3, 4.0, -7.0, 5.0, 9.0, -12.0)
AT = {"before": -30.0, "near": 5.0, "middle": 48.0, "deep": 85.0, "beyond": 130.0}
"""mm of test points along the axis: outside of the body, within the reach of the push, beyond it."""


def pressed(parameters: Any = PARAMETERS, probe: disa.ProbePressure = PROBE, centre: Any = CENTRE) -> Any:
    transform = itk.ProbePressureTransform[itk.D].New(
        Center=centre, Contact=probe.contact, Axis=probe.axis, Depth=probe.depth
    )
    transform.SetParameters(parameters)
    return transform


def point_at(along: float) -> np.ndarray:
    return np.asarray(PROBE.contact) + along * PROBE.unit_axis + np.cross(PROBE.unit_axis, (30.0, -20.0, 10.0))


def moved(transform: Any, point: np.ndarray) -> np.ndarray:
    return np.asarray(transform.TransformPoint(point.tolist()))


def error_of(transform: Any, truth: Any, points: np.ndarray) -> float:
    """Mean in mm."""
    return float(np.mean([np.linalg.norm(moved(transform, p) - moved(truth, p)) for p in points]))


def by_parameters(transform: Any, point: np.ndarray) -> np.ndarray:
    jacobian = itk.Array2D[itk.D](3, 8)
    transform.ComputeJacobianWithRespectToParameters(point.tolist(), jacobian)
    return np.array(itk.array_from_vnl_matrix(jacobian))


def by_position(transform: Any, point: np.ndarray, method: str = "ComputeJacobianWithRespectToPosition") -> np.ndarray:
    jacobian = itk.vnl_matrix_fixed[itk.D, 3, 3]()
    getattr(transform, method)(point.tolist(), jacobian)
    return np.array([[jacobian.get(i, j) for j in range(3)] for i in range(3)])


def inverse_of(transform: Any) -> Any:
    return itk.down_cast(transform.GetInverseTransform())


@pytest.mark.parametrize("along", AT.values(), ids=AT)
def test_a_point_is_pushed_then_moved(along: float) -> None:
    rigid = sitk.Euler3DTransform(CENTRE, *PARAMETERS[:3], PARAMETERS[3:6])
    point = point_at(along)
    expected = rigid.TransformPoint((point + PROBE.shift(point, *PARAMETERS[6:])).tolist())
    np.testing.assert_allclose(moved(pressed(), point), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["forward", "inverse"])
@pytest.mark.parametrize("along", AT.values(), ids=AT)
def test_jacobians_are_those_of_the_points(along: float, kind: str) -> None:
    transform = pressed()
    point = point_at(along)
    if kind == "inverse":
        point = moved(transform, point)
        transform = inverse_of(transform)
    step = 1e-5

    def parameter_slope(k: int) -> np.ndarray:
        ends = []
        for sign in (1, -1):
            stepped = transform.Clone()
            stepped.SetParameters(np.asarray(PARAMETERS) + sign * step * np.eye(8)[k])
            ends.append(moved(stepped, point))
        return (ends[0] - ends[1]) / (2 * step)

    slopes = np.stack([parameter_slope(k) for k in range(8)], axis=1)
    np.testing.assert_allclose(by_parameters(transform, point), slopes, rtol=0, atol=1e-6)
    ends = [(moved(transform, point + step * e) - moved(transform, point - step * e)) / (2 * step) for e in np.eye(3)]
    jacobian = by_position(transform, point)
    np.testing.assert_allclose(jacobian, np.stack(ends, axis=1), rtol=0, atol=1e-8)
    inverse = by_position(transform, point, "ComputeInverseJacobianWithRespectToPosition")
    np.testing.assert_allclose(inverse @ jacobian, np.eye(3), rtol=0, atol=1e-12)


@pytest.mark.parametrize("pressure", [(9.0, -12.0), (-20.0, 15.0), (40.0, 85.0), (0.0, 0.0), (30.0, 30.0)])
def test_the_inverse_takes_points_back(pressure: tuple[float, float]) -> None:
    transform = pressed((*PARAMETERS[:6], *pressure))
    inverse = inverse_of(transform)
    assert type(inverse) is itk.InverseProbePressureTransform[itk.D]
    for along in np.linspace(-60.0, 150.0, 43):
        point = point_at(along)
        np.testing.assert_allclose(moved(inverse, moved(transform, point)), point, rtol=0, atol=1e-9)
    again = inverse_of(inverse)
    assert type(again) is itk.ProbePressureTransform[itk.D]
    assert tuple(again.GetParameters()) == tuple(transform.GetParameters())
    assert tuple(again.GetFixedParameters()) == tuple(transform.GetFixedParameters())


@pytest.mark.parametrize("pressure", [(46.0, 0.0), (0.0, 90.0), (0.0, -90.0)])
def test_a_push_that_folds_has_no_inverse(pressure: tuple[float, float]) -> None:
    assert pressed((*PARAMETERS[:6], *pressure)).GetInverseTransform() is None
    inverse = inverse_of(pressed())
    inverse.SetParameters((*PARAMETERS[:6], *pressure))
    with pytest.raises(RuntimeError, match="folds space and has no inverse"):
        inverse.TransformPoint(CENTRE)


def test_parameters_are_kept_and_updated() -> None:
    transform = pressed()
    assert tuple(transform.GetParameters()) == PARAMETERS
    assert transform.GetNumberOfParameters() == 8
    assert tuple(transform.GetFixedParameters()) == (*CENTRE, *PROBE.contact, *PROBE.axis, PROBE.depth)
    assert transform.GetContact() == PROBE.contact
    assert transform.GetCenter() == CENTRE
    assert transform.GetDepth() == PROBE.depth
    np.testing.assert_allclose(transform.GetAxis(), PROBE.unit_axis, rtol=1e-15)
    assert not transform.IsLinear()
    copy = transform.Clone()
    update = itk.Array[itk.D](8)
    for k in range(8):
        update[k] = 0.1 * k
    copy.UpdateTransformParameters(update, 0.5)
    np.testing.assert_allclose(tuple(copy.GetParameters()), np.asarray(PARAMETERS) + 0.05 * np.arange(8))
    np.testing.assert_allclose(
        moved(copy, point_at(40.0)), moved(pressed(tuple(copy.GetParameters())), point_at(40.0)), atol=1e-12
    )
    assert tuple(transform.GetParameters()) == PARAMETERS


def test_it_starts_from_a_rigid_transform_and_gives_it_back() -> None:
    rigid = itk.VersorRigid3DTransform[itk.D].New()
    rigid.SetCenter((3.0, 4.0, 5.0))
    rigid.SetTranslation((7.0, -8.0, 9.0))
    rigid.SetMatrix(itk.matrix_from_array(rotation(20, -10, 30)))
    transform = pressed()
    transform.SetRigidTransform(rigid)
    assert transform.GetPressure() == PARAMETERS[6:]
    transform.SetPressure((0.0, 0.0))
    for again in (transform, transform.GetRigidTransform()):
        np.testing.assert_allclose(moved(again, point_at(20.0)), moved(rigid, point_at(20.0)), atol=1e-9)


@pytest.mark.parametrize("ending", ["h5", "tfm"])
def test_files_are_read_back(tmp_path: Path, ending: str) -> None:
    transform = pressed()
    path = str(tmp_path / f"pressed.{ending}")
    itk.transformwrite([transform, transform.GetInverseTransform()], path)
    forward, inverse = itk.transformread(path)
    assert type(forward) is itk.ProbePressureTransform[itk.D]
    assert type(inverse) is itk.InverseProbePressureTransform[itk.D]
    point = point_at(30.0)
    np.testing.assert_allclose(moved(forward, point), moved(transform, point), atol=1e-12)
    np.testing.assert_allclose(moved(inverse, moved(forward, point)), point, atol=1e-9)


@pytest.mark.parametrize(
    ("method", "value", "message"),
    [
        ("SetDepth", 0.0, "depth above 0 mm"),
        ("SetDepth", float("nan"), "depth above 0 mm"),
        ("SetAxis", (0.0, 0.0, 0.0), "axis of some length"),
        ("SetContact", (0.0, float("inf"), 0.0), "finite centre and contact"),
        ("SetContact", (0.0, 1.0), "expected 3 numbers, got 2"),
        ("SetParameters", (0.0,) * 6, "expected 8 parameters"),
        ("SetFixedParameters", (0.0,) * 3, "expected 10 fixed parameters"),
        ("SetPressure", (1.0,), "expected 2 numbers, got 1"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(method: str, value: Any, message: str) -> None:
    transform = pressed()
    with pytest.raises(disa.RegistrationError, match=message) as caught:
        getattr(transform, method)(value)
    assert "\n" not in str(caught.value)
    assert tuple(transform.GetParameters()) == PARAMETERS
    np.testing.assert_allclose(moved(transform, point_at(20.0)), moved(pressed(), point_at(20.0)), atol=1e-12)


def test_another_transform_is_not_cast() -> None:
    with pytest.raises(TypeError, match="expected a ProbePressureTransform"):
        itk.ProbePressureTransform[itk.D].cast(itk.Euler3DTransform[itk.D].New())


def test_simpleitks_export_is_the_same_map() -> None:
    corners = np.asarray(CENTRE) + 40.0 * CORNERS / 30.0
    push = PROBE.transform(*PARAMETERS[6:], corners, np.eye(3))
    rigid = sitk.Euler3DTransform(CENTRE, *PARAMETERS[:3], PARAMETERS[3:6])
    exported = sitk.CompositeTransform([rigid, push])
    transform = pressed()
    for point in np.random.default_rng(0).uniform(corners.min(axis=0), corners.max(axis=0), (200, 3)):
        assert np.linalg.norm(moved(exported, point) - moved(transform, point)) < 0.1  # where the push bends


@pytest.fixture
def pair(make_features: Callable[..., FeatureVolume]) -> tuple[FeatureVolume, FeatureVolume]:
    fixed = make_features((10, 11, 12), seed=1, direction=rotation(10, 5, -8))
    return fixed, make_features((12, 13, 14), seed=2)


def test_the_metric_takes_it(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    transform = pressed()
    metric = metric_of(*pair, transform)
    value, derivative = value_and_derivative(metric)
    assert value == pytest.approx(reference_value(*pair, transform), rel=1e-6)
    np.testing.assert_allclose(derivative, central_differences(metric, transform), rtol=1e-4, atol=1e-7)


def test_the_metric_takes_it_in_composites_and_as_fixed_transform(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    affine = itk.AffineTransform[itk.D, 3].New()
    affine.SetMatrix(itk.matrix_from_array(np.diag([1.05, 0.95, 1.02])))
    composite = itk.CompositeTransform[itk.D, 3].New()
    for part in (affine, pressed(), affine.Clone()):
        composite.AddTransform(part)
    metric = metric_of(*pair, composite)
    value, derivative = value_and_derivative(metric)
    assert len(derivative) == 32
    assert value == pytest.approx(reference_value(*pair, composite), rel=1e-6)
    np.testing.assert_allclose(derivative, central_differences(metric, composite), rtol=1e-4, atol=1e-7)

    fixed, moving = pair
    transform = pressed((0.0,) * 6 + PARAMETERS[6:])
    metric.SetFixedTransform(transform)
    metric.SetMovingTransform(transform.Clone())
    metric.SetVirtualDomainFromImage(box(fixed))
    metric.Initialize()
    plain = metric_of(fixed, moving, itk.TranslationTransform[itk.D, 3].New())
    assert metric.GetValue() == pytest.approx(plain.GetValue(), abs=0.02)  # the virtual domain cuts other cells


def register(method_metric: Any, fixed: Any, moving: Any, transform: Any, optimizer: Any) -> None:
    method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
        FixedImage=fixed, MovingImage=moving, Metric=method_metric, Optimizer=optimizer, InitialTransform=transform
    )
    method.SetNumberOfLevels(1)
    method.SetShrinkFactorsPerLevel([1])
    method.SetSmoothingSigmasPerLevel([0])
    method.InPlaceOn()
    method.Update()


def test_itk_recovers_a_push_with_disa() -> None:
    probe = disa.ProbePressure(contact=(-35.0, 30.0, -75.0), axis=(0.0, 0.0, 1.0), depth=90.0)
    points = np.asarray(FAR.GetInverse().TransformPoint((0.0, 0.0, 0.0))) + 0.6 * CORNERS
    truth = pressed((0.45, -0.3, 0.4, 42.0, -51.0, 38.0, 10.0, 8.0), probe, (0.0, 0.0, 0.0))
    fixed, moving = waves(17, 8.0, truth, fade=False), waves(51, 8 / 5**0.5, fade=False)
    transform = pressed((0.43, -0.28, 0.42, 44.0, -50.0, 36.0, 0.0, 0.0), probe, (0.0, 0.0, 0.0))
    metric = metric_of(fixed, moving, transform)
    optimizer = itk.ConjugateGradientLineSearchOptimizerv4Template[itk.D].New(
        ScalesEstimator=itk.RegistrationParameterScalesFromPhysicalShift[type(metric)].New(Metric=metric),
        LearningRate=1.0,
        NumberOfIterations=60,
        MinimumConvergenceValue=1e-9,
    )
    assert error_of(transform, truth, points) > 4.0
    register(metric, box(fixed), box(moving), transform, optimizer)
    assert error_of(transform, truth, points) < 0.5


def test_itk_recovers_a_push_with_a_metric_of_its_own() -> None:
    moving = structured_image((40, 40, 40), seed=5)
    centre = moving.TransformContinuousIndexToPhysicalPoint([19.5] * 3)
    probe = disa.ProbePressure(contact=tuple(np.add(centre, (0, 0, -40)).tolist()), axis=(0.0, 0.0, 1.0), depth=80.0)
    rigid = sitk.Euler3DTransform(centre, 0.05, -0.04, 0.06, (2.0, -1.5, 1.0))
    push = probe.transform(6.0, 5.0, np.asarray(centre) + 2 * CORNERS, np.eye(3))
    truth = sitk.CompositeTransform([rigid, push])
    fixed = sitk.Resample(moving, moving, truth, sitk.sitkLinear, 0.0)
    transform = pressed((0.0,) * 8, probe, centre)
    metric = itk.MeanSquaresImageToImageMetricv4[ImageType, ImageType].New()
    optimizer = itk.RegularStepGradientDescentOptimizerv4[itk.D].New(
        ScalesEstimator=itk.RegistrationParameterScalesFromPhysicalShift[type(metric)].New(Metric=metric),
        LearningRate=2.0,
        MinimumStepLength=0.01,
        NumberOfIterations=100,
    )
    register(metric, to_itk(fixed), to_itk(moving), transform, optimizer)
    assert error_of(transform, truth, centre + 0.8 * CORNERS) < 0.5
