# SPDX-License-Identifier: Apache-2.0
"""The push of a probe: its formula, its export, and its recovery with the pose."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from helpers.known_pose import CORNERS, FAR, waves

PROBE = disa.ProbePressure(contact=(-35.0, 30.0, -75.0), axis=(0.0, 0.0, 2.0), depth=90.0)


def pushed(point: np.ndarray, p1: float, p2: float) -> np.ndarray:
    t = min(max((point[2] + 75.0) / 90.0, 0.0), 1.0)
    return point + np.array([0.0, 0.0, p1 * (1 - t) ** 2 + p2 * t * (1 - t)])


def test_points_move_by_the_formula() -> None:
    points = np.array([[0.0, 0, -90], [5, 5, -75], [1, 2, -40], [1, 2, 0], [3, 3, 15], [3, 3, 40]])
    np.testing.assert_allclose(points + PROBE.shift(points, 7.0, -3.0), [pushed(p, 7.0, -3.0) for p in points])


def test_the_exported_field_is_the_push() -> None:
    turn = np.asarray(FAR.GetMatrix()).reshape(3, 3)
    corners = 2 * CORNERS
    field = PROBE.transform(9.0, 14.0, corners, turn)
    for point in np.random.default_rng(0).uniform(corners.min(axis=0), corners.max(axis=0), (200, 3)):
        assert (
            np.linalg.norm(field.TransformPoint(point.tolist()) - pushed(point, 9.0, 14.0)) < 0.08
        )  # a bend of 0.155 between two vectors


def test_push_and_pose_are_found_together() -> None:
    p1, p2 = 10.0, 8.0
    push = PROBE.transform(p1, p2, CORNERS * 3, np.eye(3))
    truth = sitk.CompositeTransform([FAR, push])
    result = disa.global_register(
        waves(17, 8.0, truth), waves(51, 8 / 5**0.5), transform="probe", probe=PROBE, translation=70.0
    )
    points = np.asarray(FAR.GetInverse().TransformPoint((0.0, 0.0, 0.0))) + 0.4 * CORNERS
    pairs = [(result.transform.TransformPoint(p), truth.TransformPoint(p)) for p in points.tolist()]
    assert np.mean([np.linalg.norm(np.subtract(a, b)) for a, b in pairs]) < 1.5
    assert result.pressure is not None
    rigid = result.transform.GetNthTransform(0)
    moved = [rigid.TransformPoint((p + PROBE.shift(p, *result.pressure)).tolist()) for p in points]
    np.testing.assert_allclose(moved, [a for a, _ in pairs], atol=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0.0}, "depth above 0 mm"),
        ({"axis": (0.0, 0.0, 0.0)}, "axis of some length"),
        ({"contact": (0.0, float("nan"), 0.0)}, "finite"),
    ],
)
def test_bad_probes_are_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(disa.RegistrationError, match=message):
        disa.ProbePressure(**{"contact": (0.0, 0.0, 0.0), "axis": (0.0, 0.0, 1.0), "depth": 50.0, **options})


def test_a_probe_goes_with_its_transform() -> None:
    features = waves(9, 8.0)
    for options in ({"probe": PROBE}, {"transform": "probe"}):
        with pytest.raises(disa.RegistrationError, match="probe: expected with"):
            disa.register(features, features, **options)
