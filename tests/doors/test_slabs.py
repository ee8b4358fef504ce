# SPDX-License-Identifier: Apache-2.0
"""A slice of 2.5 mm, repeated into a slab as SimpleITK's notebooks do, is registered in its plane by every door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from helpers.displaced import centre_of
from helpers.images import structured_image
from helpers.itk_metric import Metric, set_parameters, to_itk

THICKNESS = 2.5

SLABS: dict[str, Callable[[sitk.Image], sitk.Image]] = {
    "JoinSeries": lambda slice_: sitk.JoinSeries([slice_[:, :, 0]] * 4, slice_.GetOrigin()[2], THICKNESS / 4),
    "Expand by 2": lambda slice_: sitk.Expand(slice_, [1, 1, 2], sitk.sitkNearestNeighbor),
    "Expand by 5": lambda slice_: sitk.Expand(slice_, [1, 1, 5], sitk.sitkNearestNeighbor),
}


def slice_of(image: sitk.Image) -> sitk.Image:
    found = image[:, :, 20:21]
    found.SetSpacing((*image.GetSpacing()[:2], THICKNESS))
    return found


class Pair:
    """A volume, the same moved within the planes of its slices, and how."""

    def __init__(self) -> None:
        self.fixed = structured_image((64, 60, 40), seed=3)
        self.centre = centre_of(self.fixed)
        self.truth = sitk.Euler3DTransform(self.centre, 0.0, 0.0, 0.05, (4.0, -3.0, 0.0))
        self.moving = sitk.Resample(self.fixed, self.truth.GetInverse(), sitk.sitkLinear, 0.0)

    def error_of(self, transform: Any) -> float:
        """Mean distance from the truth in mm, within the plane of the slice."""
        points = [np.add(self.centre, (30.0 * x - 30.0, 30.0 * y - 30.0, 0.0)) for x, y in np.ndindex(3, 3)]
        ends = [
            np.subtract(transform.TransformPoint(p.tolist()), self.truth.TransformPoint(p.tolist())) for p in points
        ]
        return float(np.mean(np.linalg.norm(np.array(ends)[:, :2], axis=1)))


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair()


def in_plane(pair: Pair) -> disa.ImageRegistrationMethod:
    """With what leaves the plane held: rotations about x and y, and the shift along z."""
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.01, 60)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetOptimizerWeights([0, 0, 1, 1, 1, 0])
    method.SetInitialTransform(sitk.Euler3DTransform(pair.centre))
    return method


@pytest.mark.parametrize("way", SLABS)
def test_by_simpleitks_class(pair: Pair, way: str) -> None:
    fixed, moving = (SLABS[way](slice_of(image)) for image in (pair.fixed, pair.moving))
    assert fixed.GetSize()[2] * fixed.GetSpacing()[2] == THICKNESS
    method = in_plane(pair)
    found = method.Execute(fixed, moving)
    assert pair.error_of(sitk.Euler3DTransform(pair.centre)) > 4.9
    assert pair.error_of(found) < 0.5
    parameters = found.GetParameters()
    assert (parameters[0], parameters[1], parameters[5]) == (0.0, 0.0, 0.0)
    assert method.GetMetricNumberOfValidPoints() > 100


def test_by_simpleitks_class_onto_a_volume(pair: Pair) -> None:
    found = in_plane(pair).Execute(SLABS["JoinSeries"](slice_of(pair.fixed)), pair.moving)
    assert pair.error_of(found) < 1.5


@pytest.mark.parametrize("way", SLABS)
def test_by_register(pair: Pair, way: str) -> None:
    found = disa.register(*(SLABS[way](slice_of(image)) for image in (pair.fixed, pair.moving)))
    assert pair.error_of(found.transform) < 0.8
    assert not found.doubts


@pytest.mark.parametrize("way", SLABS)
def test_by_itks_metric(pair: Pair, way: str) -> None:
    slabs = [to_itk(SLABS[way](slice_of(image))) for image in (pair.fixed, pair.moving)]
    transform = itk.Euler3DTransform[itk.D].New()
    transform.SetCenter(pair.centre)
    metric = Metric.New(FixedImage=slabs[0], MovingImage=slabs[1], MovingTransform=transform)
    metric.Initialize()
    start = metric.GetValue()
    set_parameters(transform, pair.truth.GetParameters())
    assert metric.GetValue() < start - 0.1
    assert metric.GetNumberOfValidPoints() > 100


def test_a_single_slice_is_refused_in_one_line_that_says_what_to_do(pair: Pair) -> None:
    single = slice_of(pair.fixed)
    for call in (
        lambda: in_plane(pair).Execute(single, pair.moving),
        lambda: disa.register(single, pair.moving),
        lambda: Metric.New(
            FixedImage=to_itk(single),
            MovingImage=to_itk(single),
            MovingTransform=itk.TranslationTransform[itk.D, 3].New(),
        ).Initialize(),
    ):
        with pytest.raises(RuntimeError, match=r"size \(64, 60, 1\); repeat a single slice, by sitk.Expand") as caught:
            call()
        assert "\n" not in str(caught.value)
