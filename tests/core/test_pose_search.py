# SPDX-License-Identifier: Apache-2.0
"""The compiled search for poses: value, derivative, starts, threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from disa.core import FeatureVolume, _core
from disa.errors import RegistrationError
from helpers.pose_searches import pair_of, search_of, terms_of

KINDS = {"translation": 3, "rigid": 6, "similarity": 7, "affine": 12}
PRESSURE = _core.ProbePressure((50.0, 25.0, -10.0), (0.0, 0.6, 0.8), 90.0)


@pytest.fixture
def pair(make_features: Callable[..., FeatureVolume]) -> tuple[FeatureVolume, FeatureVolume]:
    return pair_of(make_features)


@pytest.mark.parametrize("both", [False, True], ids=["forward", "two-sided"])
@pytest.mark.parametrize("pressure", [None, PRESSURE], ids=["plain", "probe"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_derivative_is_that_of_the_value(
    pair: tuple[FeatureVolume, FeatureVolume], kind: str, pressure: _core.ProbePressure | None, both: bool
) -> None:
    terms = terms_of(*pair, both=both)
    fixed, _ = pair
    search = search_of(fixed, kind, pressure)
    rng = np.random.default_rng(3)
    for parameters in np.asarray(search.draw(5, 30.0, 20.0, 9)):
        if pressure is not None:
            parameters[-2:] = rng.uniform(-8, 8, 2)
        _, gradient = search.evaluate(parameters.tolist(), terms)
        assert gradient.shape == (KINDS[kind] + (2 if pressure else 0),)
        step = 1e-6
        for k in range(len(parameters)):
            ahead, behind = (
                search.evaluate((parameters + sign * step * np.eye(len(parameters))[k]).tolist(), terms)[0]
                for sign in (1, -1)
            )
            assert gradient[k] == pytest.approx((ahead - behind) / (2 * step), rel=1e-4, abs=1e-7)


def test_a_pressed_point_moves_as_the_formula_says(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    fixed, moving = pair
    pressed = search_of(fixed, "rigid", PRESSURE)
    plain = search_of(fixed, "rigid")
    pose = plain.draw(2, 20.0, 10.0, 4)[1]
    value, _ = pressed.evaluate([*pose, 6.0, -9.0], terms_of(fixed, moving, both=False))

    axis, contact = np.array([0.0, 0.6, 0.8]), np.array([50.0, 25.0, -10.0])
    axes = np.asarray(fixed.direction).reshape(3, 3) * fixed.spacing
    matrix, offset = (np.asarray(part) for part in plain.map(pose))
    to_index = np.linalg.inv(np.asarray(moving.direction).reshape(3, 3) * moving.spacing)
    cells = np.pad(moving.data.astype(float) * moving.scale, ((1, 1), (1, 1), (1, 1), (0, 0)))
    total = 0.0
    for z, y, x in np.ndindex(*fixed.weights.shape):
        point = axes @ (x, y, z) + fixed.origin
        t = np.clip(axis @ (point - contact) / 90.0, 0.0, 1.0)
        moved = matrix.reshape(3, 3) @ (point + (6.0 * (1 - t) ** 2 - 9.0 * t * (1 - t)) * axis) + offset
        index = to_index @ (moved - moving.origin) + 1
        if np.any(index < 0) or np.any(index >= np.asarray(cells.shape[2::-1]) - 1):
            continue
        base = index.astype(int)
        blend = sum(
            np.prod(np.where(corner, index - base, 1 - index + base)) * cells[tuple((base + corner)[::-1])]
            for corner in np.ndindex(2, 2, 2)
        )
        total += fixed.weights[z, y, x] * (blend @ (fixed.data[z, y, x] * fixed.scale))
    assert value == pytest.approx(-total / fixed.weights.sum(dtype=float), rel=1e-6)


@pytest.mark.parametrize("pressure", [None, PRESSURE], ids=["plain", "probe"])
def test_the_backward_term_is_the_forward_one_of_the_inverse(
    pair: tuple[FeatureVolume, FeatureVolume], pressure: _core.ProbePressure | None
) -> None:
    """Read point by point in plain numpy; half of the sum of both, the backward one by a share of its weight."""
    fixed, moving = pair
    search = search_of(fixed, "affine", pressure)
    pose = search.draw(2, 10.0, 5.0, 4)[1]
    pushes = (5.0, -7.0) if pressure else ()
    pose = [*pose[:12], *pushes]
    matrix, offset = (np.asarray(part) for part in search.map(pose))
    cells = np.argwhere(moving.weights > 0)
    axes = np.asarray(moving.direction).reshape(3, 3) * moving.spacing
    points = (cells[:, ::-1] @ axes.T + moving.origin - offset) @ np.linalg.inv(matrix.reshape(3, 3)).T
    if pressure:
        pressed, points = points, points.copy()
        for _ in range(60):
            points = pressed - pressure.shift(points, *pushes)
    products = np.einsum("nc,nc->n", read_at(fixed, points), moving.data[tuple(cells.T)] * float(moving.scale))
    backward = -np.average(products, weights=moving.weights[tuple(cells.T)]) * 0.8
    forward, _ = search.evaluate(pose, terms_of(fixed, moving, both=False))
    value, _ = search.evaluate(pose, terms_of(fixed, moving))
    assert abs(backward) > 1e-4
    assert value == pytest.approx((forward + backward) / 2, rel=1e-5)


def read_at(features: FeatureVolume, points: np.ndarray) -> np.ndarray:
    """Descriptors blended trilinearly at points of shape (n, 3); 0 outside."""
    axes = np.asarray(features.direction).reshape(3, 3) * features.spacing
    index = (points - features.origin) @ np.linalg.inv(axes).T + 1
    cells = np.pad(features.data.astype(float) * features.scale, ((1, 1), (1, 1), (1, 1), (0, 0)))
    size = np.asarray(cells.shape[2::-1])
    inside = ((index >= 0) & (index < size - 1)).all(axis=1)
    base = np.where(inside[:, None], index, 0).astype(int)
    found = np.zeros((len(points), 16))
    for corner in np.ndindex(2, 2, 2):
        share = np.prod(np.where(corner, index - base, 1 - index + base), axis=1)
        x, y, z = (base + corner).T
        found += np.where(inside, share, 0.0)[:, None] * cells[z, y, x]
    return found


def test_starts_fill_their_ranges_and_follow_the_seed(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    search = search_of(pair[0], "rigid")
    starts = np.asarray(search.draw(2000, 40.0, 150.0, 5))
    np.testing.assert_array_equal(starts[0], 0.0)
    shifts = starts[1:, 3:]
    assert 149 < np.abs(shifts).max() <= 150
    assert np.abs(shifts.mean(axis=0)).max() < 8
    assert np.rad2deg(np.abs(starts[1:, :3]).max()) / search.radius < 80
    np.testing.assert_array_equal(starts, search.draw(2000, 40.0, 150.0, 5))
    np.testing.assert_array_equal(starts[:100], search.draw(100, 40.0, 150.0, 5))
    assert not np.array_equal(starts[1:], search.draw(2000, 40.0, 150.0, 6)[1:])


def test_a_mm_of_any_parameter_moves_the_volume_by_about_one(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    fixed = pair[0]
    search = search_of(fixed, "affine")
    points = np.argwhere(fixed.weights > 0)[:, ::-1] * fixed.spacing @ np.asarray(fixed.direction).reshape(3, 3).T
    points = points + fixed.origin
    matrix, offset = (np.asarray(part) for part in search.map([0.0] * 12))
    for k in range(12):
        moved, shift = (np.asarray(part) for part in search.map(np.eye(12)[k].tolist()))
        distance = points @ (moved - matrix).reshape(3, 3).T + shift - offset
        assert 0.4 < np.sqrt((distance**2).sum(axis=1).mean()) < 1.2


def test_threads_change_nothing(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    fixed, moving = pair
    search = search_of(fixed, "rigid")
    starts = search.draw(40, 30.0, 40.0, 2)
    results = [
        search.optimize(
            starts,
            terms_of(fixed, moving),
            _core.StageSettings(samples=300, tolerance=0.1, iterations=30, keep=5, distinct=5.0, threads=threads),
        )
        for threads in (1, 2, 7)
    ]
    for result in results[1:]:
        assert result.evaluations == results[0].evaluations
        assert [pose.parameters for pose in result.poses] == [pose.parameters for pose in results[0].poses]
    values = [pose.value for pose in results[0].poses]
    assert values == sorted(values)


def test_no_weight_is_one_line(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    fixed = pair[0]
    empty = FeatureVolume(
        data=fixed.data,
        scale=fixed.scale,
        weights=np.zeros_like(fixed.weights),
        origin=fixed.origin,
        spacing=fixed.spacing,
        direction=fixed.direction,
    )
    with pytest.raises(RegistrationError, match="fixed mask"):
        search_of(empty, "rigid")
