# SPDX-License-Identifier: Apache-2.0
"""The search against plain numpy."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

import disa
from disa.core import FeatureVolume, _core

SPACING = 4.0


def features_at(values: np.ndarray, weights: np.ndarray, first: tuple[int, int, int] = (0, 0, 0)) -> FeatureVolume:
    """Descriptors, shape (z, y, x, 16), whose first cell lies at that cell (x, y, z) of a common lattice."""
    return FeatureVolume(
        data=values,
        scale=0.01 if values.dtype == np.int8 else 1.0,
        weights=weights,
        origin=SPACING * np.asarray(first) + (3.0, -7.0, 11.0),
        spacing=(SPACING,) * 3,
        direction=np.eye(3).ravel(),
    )


@pytest.fixture(scope="module")
def pair() -> tuple[FeatureVolume, FeatureVolume]:
    """int8 volumes of unequal size and origin, as noise is, some of it without weight."""
    rng = np.random.default_rng(0)
    fixed = rng.integers(-100, 101, (9, 7, 11, 16)).astype(np.int8)
    moving = rng.integers(-100, 101, (12, 8, 15, 16)).astype(np.int8)
    weights = rng.uniform(0.0, 3.0, fixed.shape[:3]).astype(np.float32)
    weights[weights < 0.5] = 0.0
    return features_at(fixed, weights), features_at(moving, np.ones(moving.shape[:3], np.float32), (-2, -1, 1))


def box(side: int) -> dict[int, float]:
    """Shares of the cells about a position; those on an even box's faces count half."""
    reach = side // 2
    return {d: (0.5 if side % 2 == 0 and abs(d) == reach else 1.0) / side for d in range(-reach, reach + 1)}


def pooled(volume: FeatureVolume, weights: np.ndarray, cell: tuple[int, ...], side: int) -> np.ndarray:
    """Mean of weighted unit descriptors over a box about a cell (z, y, x), zeros beyond the volume."""
    total = np.zeros(16)
    for offset in itertools.product(box(side), repeat=3):
        z, y, x = (c + o for c, o in zip(cell, offset, strict=True))
        if all(0 <= i < n for i, n in zip((z, y, x), weights.shape, strict=True)):
            share = np.prod([box(side)[o] for o in offset])
            descriptor = volume.data[z, y, x].astype(float)
            total += share * weights[z, y, x] * descriptor / np.linalg.norm(descriptor)
    return total


def costs_of(
    fixed: FeatureVolume, moving: FeatureVolume, spacing: int, step: int, displacement: tuple[int, ...], radius: int
) -> np.ndarray:
    """cost(p, u), one point at a time; displacement is (x, y, z)."""
    weights = fixed.weights.astype(float)
    weights *= np.count_nonzero(weights) / weights.sum()
    shift = np.rint((np.asarray(moving.origin) - fixed.origin) / SPACING).astype(int)[::-1]
    shape = [(n - 1) // spacing + 1 for n in fixed.weights.shape]
    dots = np.zeros(np.asarray(shape) + 2 * radius)
    for p in np.ndindex(*shape):
        cell = np.asarray(p) * spacing
        other = cell + np.asarray(displacement)[::-1] * step - shift
        dots[tuple(np.asarray(p) + radius)] = pooled(fixed, weights, tuple(cell), spacing) @ pooled(
            moving, np.ones(moving.weights.shape), tuple(other), spacing
        )
    side = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(dots, (side,) * 3)
    return -windows.mean(axis=(3, 4, 5))


@pytest.mark.parametrize(
    ("spacing", "step", "displacement", "cost_radius"),
    [(1, 1, (0, 0, 0), 0), (1, 1, (2, -1, 1), 1), (2, 1, (-2, 1, 2), 1), (2, 2, (1, 0, -2), 0), (4, 2, (-1, 2, 1), 1)],
)
def test_costs_are_inner_products_of_averaged_descriptors(
    pair: tuple[FeatureVolume, FeatureVolume],
    spacing: int,
    step: int,
    displacement: tuple[int, int, int],
    cost_radius: int,
) -> None:
    search = _core.DisplacementSearch(*pair, control_spacing=spacing, step=step, radius=2, cost_radius=cost_radius)
    expected = costs_of(*pair, spacing, step, displacement, cost_radius)
    assert search.shape == expected.shape
    assert np.ptp(expected) > 2e-5
    np.testing.assert_allclose(search.costs(displacement), expected, rtol=1e-4, atol=2e-8)


@pytest.mark.parametrize("coupling", [0.0, 0.01, 10.0])
def test_nearest_is_the_argmin_over_every_displacement(
    pair: tuple[FeatureVolume, FeatureVolume], coupling: float
) -> None:
    search = _core.DisplacementSearch(*pair, control_spacing=2, step=1, radius=2)
    near = np.random.default_rng(1).uniform(-2.5, 2.5, (*search.shape, 3)).astype(np.float32)
    steps = np.asarray(list(itertools.product(range(-2, 3), repeat=3)))[:, ::-1]  # z slowest
    total = np.stack([search.costs(u) + coupling * ((u - near) ** 2).sum(axis=-1) for u in steps.tolist()])
    np.testing.assert_array_equal(search.nearest(near, coupling), steps[total.argmin(axis=0)])


def test_the_smooth_field_is_the_mean_of_the_neighbours_that_there_are(
    pair: tuple[FeatureVolume, FeatureVolume],
) -> None:
    search = _core.DisplacementSearch(*pair, control_spacing=2, step=1, radius=1)
    field = np.random.default_rng(2).normal(size=(*search.shape, 3)).astype(np.float32)
    smooth = search.smooth(field)
    for z, y, x in np.ndindex(*search.shape):
        near = field[max(z - 1, 0) : z + 2, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        np.testing.assert_allclose(smooth[z, y, x], near.mean(axis=(0, 1, 2)), atol=1e-5)


def test_a_run_alternates_nearest_and_smooth(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    search = _core.DisplacementSearch(*pair, control_spacing=2, step=1, radius=2)
    field = np.zeros((*search.shape, 3), np.float32)
    for coupling in (0.001, 0.01, 0.1):
        field = search.smooth(search.nearest(field, coupling))
    assert np.abs(field).max() > 0.5
    np.testing.assert_array_equal(search.run([0.001, 0.01, 0.1]), field)


def test_results_do_not_depend_on_the_threads(make_features: Callable[..., FeatureVolume]) -> None:
    fixed, moving = make_features((20, 9, 11)), make_features((22, 12, 14), seed=1)
    runs = [
        _core.DisplacementSearch(fixed, moving, control_spacing=1, step=1, radius=2, threads=threads).run([0.0, 0.1])
        for threads in (1, 2, 5)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0], runs[2])


def test_a_shift_is_found_everywhere(make_features: Callable[..., FeatureVolume]) -> None:
    moving = make_features((16, 17, 18))
    fixed = features_at(np.ascontiguousarray(moving.data[3:12, 2:12, 4:13]), moving.weights[3:12, 2:12, 4:13])
    shifted = features_at(moving.data, moving.weights, (-3, -4, -2))
    search = _core.DisplacementSearch(fixed, shifted, control_spacing=1, step=1, radius=2)
    np.testing.assert_array_equal(search.nearest(np.zeros((*search.shape, 3)), 0.0) - (1.0, -2.0, 1.0), 0.0)


def test_what_cannot_be_searched_is_refused(pair: tuple[FeatureVolume, FeatureVolume]) -> None:
    fixed, moving = pair
    off = moving.replaced(origin=np.asarray(moving.origin) + 1.0)
    weightless = fixed.replaced(weights=np.zeros_like(fixed.weights))
    frame = {name: getattr(fixed, name) for name in ("scale", "weights", "origin", "spacing", "direction")}
    one, other = (FeatureVolume(data=fixed.data, **frame, network=network) for network in ("1" * 8, "2" * 8))
    with pytest.raises(disa.RegistrationError, match=r"^fixed and moving features are of two networks"):
        _core.DisplacementSearch(one, other, control_spacing=1, step=1, radius=1)
    with pytest.raises(disa.RegistrationError, match=r"^moving features: expected cells on the fixed features"):
        _core.DisplacementSearch(fixed, off, control_spacing=1, step=1, radius=1)
    with pytest.raises(disa.RegistrationError, match=r"^fixed features: no descriptor has any weight"):
        _core.DisplacementSearch(weightless, moving, control_spacing=1, step=1, radius=1)
    with pytest.raises(disa.RegistrationError, match=r"that divides the control spacing, got 2 and 3"):
        _core.DisplacementSearch(fixed, moving, control_spacing=3, step=2, radius=1)
    search = _core.DisplacementSearch(fixed, moving, control_spacing=2, step=1, radius=1)
    with pytest.raises(disa.RegistrationError, match=r"^displacement: expected 1 steps or fewer"):
        search.costs((0, 2, 0))
    with pytest.raises(disa.RegistrationError, match=r"^displacements: expected shape"):
        search.nearest(np.zeros((2, 2, 2, 3), np.float32), 0.0)
