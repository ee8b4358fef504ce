# SPDX-License-Identifier: Apache-2.0
"""The metric with each kernel of this processor."""

from __future__ import annotations

import json

import pytest

from disa.core import _core
from helpers.fresh_python import run
from helpers.paths import TESTS

KERNELS = _core.kernels()

METRIC = f"""
import json, os, sys; sys.path.insert(0, {str(TESTS)!r})
import numpy as np
import disa
from disa.core import FeatureVolume
from helpers.itk_metric import make_transform, metric_of, set_parameters, value_and_derivative

def features(size, spacing):
    data = np.random.default_rng(size).integers(-127, 128, (size, size, size, 16), dtype=np.int8)
    weights = np.ones(data.shape[:3], np.float32)
    frame = dict(origin=(0, 0, 0), spacing=[spacing] * 3, direction=np.eye(3).ravel())
    return FeatureVolume(data=data, scale=0.01, weights=weights, **frame)

def evaluate(kernel):
    os.environ["DISA_KERNEL"] = kernel
    transform = make_transform("AffineTransform")
    set_parameters(transform, [0.9, 0.1, 0.0, -0.1, 1.1, 0.05, 0.0, 0.0, 1.0, 3.0, -2.0, 5.0])
    try:
        metric = metric_of(features(17, 7.0), features(23, 5.0), transform)
        for units in (1, 2, 3, 16):
            metric.SetMaximumNumberOfWorkUnits(units)
            value, derivative = value_and_derivative(metric)
            yield [float(x).hex() for x in (value, *derivative)]
    except disa.RegistrationError as error:
        yield str(error)

for kernel in {[*KERNELS, "fast"]!r}:
    if os.fork() == 0:
        print(json.dumps([kernel, list(evaluate(kernel))]), flush=True)
        os._exit(0)
    os.wait()
"""
"""A process takes its kernel once. Loading ITK's metrics takes seconds: one process does, and its children choose."""


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    """What the metric gives by kernel, for each number of work units."""
    return dict(json.loads(line) for line in run(METRIC, {}).splitlines())


def test_a_registration_refuses_a_kernel_when_it_starts(said: dict[str, list[str]]) -> None:
    assert len(said["fast"]) == 1
    assert said["fast"][0].startswith('environment variable DISA_KERNEL: no kernel "fast"')


def test_neither_kernel_nor_work_units_change_a_bit_of_the_metric(said: dict[str, list[str]]) -> None:
    results = [said[name] for name in KERNELS]
    assert [len(lines) for lines in results] == [4] * len(results)
    assert len({tuple(line) for lines in results for line in lines}) == 1
