# SPDX-License-Identifier: Apache-2.0
"""What ITK's gradient descent returns as its best parameters are those one step after its best value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import itk
from helpers.itk_metric import ImageType, Metric
from helpers.itk_registration import displaced_pair, method_of, rigid

METRICS = {
    "DISA": Metric,
    "mean squares": itk.MeanSquaresImageToImageMetricv4[ImageType, ImageType],
    "Mattes": itk.MattesMutualInformationImageToImageMetricv4[ImageType, ImageType],
}


@pytest.mark.parametrize("name", METRICS)
def test_the_best_value_and_the_parameters_do_not_belong_together(name: str) -> None:
    """The page on ITK says so; if ITK mends it, this fails and the page is to be changed."""
    fixed, moving, centre = displaced_pair()
    if name == "mean squares":
        moving = itk.multiply_image_filter(moving, constant=-1.0)  # of the fixed image's contrast
    metric = METRICS[name].New()
    transform = rigid(centre)
    optimizer = itk.GradientDescentOptimizerv4Template[itk.D].New(
        NumberOfIterations=8,
        ScalesEstimator=itk.RegistrationParameterScalesFromPhysicalShift[type(metric)].New(Metric=metric),
        MaximumStepSizeInPhysicalUnits=8.0,
        ReturnBestParametersAndValue=True,
    )
    values: list[float] = []
    after: list[list[float]] = []

    def record() -> None:
        values.append(optimizer.GetCurrentMetricValue())
        after.append(list(optimizer.GetCurrentPosition()))

    optimizer.AddObserver(itk.IterationEvent(), record)
    method: Any = method_of((fixed, moving, centre), metric, optimizer, transform, levels=1)
    method.Update()
    best = int(np.argmin(values))
    assert 0 < best < len(values) - 1
    assert optimizer.GetCurrentMetricValue() == values[best]
    np.testing.assert_array_equal(list(transform.GetParameters()), after[best])
    assert metric.GetValue() == pytest.approx(values[best + 1], rel=1e-9) != pytest.approx(values[best], rel=1e-3)
