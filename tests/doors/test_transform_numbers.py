# SPDX-License-Identifier: Apache-2.0
"""NaN, infinity and numbers beyond all places in transforms that are given as objects are one line at every door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import SimpleITK as sitk

import disa
from helpers.images import structured_image

FIXED, MOVING = structured_image((20, 20, 20)), structured_image((20, 20, 20), seed=1)


def field(value: float) -> sitk.Transform:
    displacements = sitk.Image((9, 9, 9), sitk.sitkVectorFloat64, 3)
    displacements[1, 2, 3] = (0.0, value, 0.0)
    return sitk.DisplacementFieldTransform(displacements)


def spline(value: float) -> sitk.Transform:
    transform = sitk.BSplineTransformInitializer(FIXED, (2, 2, 2))
    parameters = list(transform.GetParameters())
    parameters[7] = value
    transform.SetParameters(parameters)
    return transform


def centre(value: float) -> sitk.Transform:
    return sitk.Euler3DTransform((value, 0.0, 0.0), 0.1)


def last_of_two(value: float) -> sitk.Transform:
    return sitk.CompositeTransform([sitk.TranslationTransform(3), centre(value)])


def by_method(setter: str, call: str) -> Callable[[sitk.Transform], Any]:
    def run(transform: sitk.Transform) -> Any:
        method = disa.ImageRegistrationMethod()
        method.SetMetricAsDISA()
        method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 3)
        method.SetInitialTransform(sitk.Euler3DTransform())
        getattr(method, setter)(transform)
        return getattr(method, call)(FIXED, MOVING)

    return run


DOORS: dict[str, Callable[[sitk.Transform], Any]] = {
    "deformable": lambda transform: disa.deformable_register(FIXED, MOVING, initial_transform=transform),
    **{
        f"{setter}, {call}": by_method(setter, call)
        for setter in ("SetInitialTransform", "SetMovingInitialTransform", "SetFixedInitialTransform")
        for call in ("Execute", "MetricEvaluate")
    },
}


@pytest.mark.parametrize("make", [field, spline, centre, last_of_two])
@pytest.mark.parametrize("door", DOORS)
def test_it_is_one_line(door: str, make: Callable[[float], sitk.Transform]) -> None:
    for value in (float("nan"), float("-inf"), 1e300):
        with pytest.raises(disa.RegistrationError) as caught:
            DOORS[door](make(value))
        said = str(caught.value)
        assert "transform: expected finite parameters, found NaN, infinity or one beyond 1e+09" in said
        assert "\n" not in said
