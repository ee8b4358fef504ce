# SPDX-License-Identifier: Apache-2.0
"""The metric with each kernel of this processor."""

from __future__ import annotations

from disa.core import _core
from helpers.fresh_python import run
from helpers.paths import TESTS

KERNELS = _core.kernels()


METRIC = f"""
import sys; sys.path.insert(0, {str(TESTS)!r})
import numpy as np, itk
from disa.core import FeatureVolume
from helpers.itk_metric import make_transform, metric_of, set_parameters, value_and_derivative
def features(size, spacing):
    data = np.random.default_rng(size).integers(-127, 128, (size, size, size, 16), dtype=np.int8)
    weights = np.ones(data.shape[:3], np.float32)
    frame = dict(origin=(0, 0, 0), spacing=[spacing] * 3, direction=np.eye(3).ravel())
    return FeatureVolume(data=data, scale=0.01, weights=weights, **frame)
transform = make_transform("AffineTransform")
set_parameters(transform, [0.9, 0.1, 0.0, -0.1, 1.1, 0.05, 0.0, 0.0, 1.0, 3.0, -2.0, 5.0])
metric = metric_of(features(17, 7.0), features(23, 5.0), transform)
"""


def test_a_registration_refuses_a_kernel_when_it_starts() -> None:
    message = run(METRIC, {"DISA_KERNEL": "fast"}, "RegistrationError")
    assert message.startswith('environment variable DISA_KERNEL: no kernel "fast"')


def test_neither_kernel_nor_work_units_change_a_bit_of_the_metric() -> None:
    report = """
for units in (1, 2, 3, 16):
    metric.SetMaximumNumberOfWorkUnits(units)
    value, derivative = value_and_derivative(metric)
    print([float(x).hex() for x in (value, *derivative)])
"""
    results = [run(METRIC + report, {"DISA_KERNEL": name}).splitlines() for name in KERNELS]
    assert [len(lines) for lines in results] == [4] * len(results)
    assert len({line for lines in results for line in lines}) == 1
