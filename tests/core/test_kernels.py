from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disa.core import _core

KERNELS = _core.kernels()


def evaluate(name: str, cells: np.ndarray, descriptors: np.ndarray, index: np.ndarray) -> tuple:
    """Points and gradients as (n, 3)."""
    inside, value, gradient = _core.evaluate_kernel(name, cells, descriptors, np.ascontiguousarray(index.T))
    return inside, value, gradient.T


def reference(cells: np.ndarray, descriptors: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Blend the moving descriptors first and dot then, in double: the definition, written the other way round."""
    values = np.zeros(len(index))
    size = np.asarray(cells.shape[2::-1])
    for i, point in enumerate(index):
        if np.all(point >= 0) and np.all(point < size - 1):
            base = point.astype(int)
            share = point - base
            blend = np.zeros(16)
            for corner in np.ndindex(2, 2, 2):
                weight = np.prod(np.where(corner, share, 1 - share))
                x, y, z = base + corner
                blend += weight * cells[z, y, x]
            values[i] = blend @ descriptors[i]
    return values


def random_case(seed: int, count: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, 8, 3)
    cells = rng.integers(-127, 128, (*shape, 16), dtype=np.int8)
    descriptors = rng.integers(-127, 128, (count, 16), dtype=np.int8)
    return cells, descriptors, rng.uniform(-1.0, shape[::-1] + 0.5, (count, 3))


@pytest.mark.parametrize("name", KERNELS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_values_are_the_definition(name: str, seed: int) -> None:
    cells, descriptors, index = random_case(seed)
    inside, value, _ = evaluate(name, cells, descriptors, index)
    size = np.asarray(cells.shape[2::-1])
    assert inside == np.count_nonzero(np.all((index >= 0) & (index < size - 1), axis=1))
    np.testing.assert_allclose(value, reference(cells, descriptors, index), rtol=1e-12, atol=1e-7)


@pytest.mark.parametrize("name", KERNELS)
def test_gradients_are_the_values_slopes(name: str) -> None:
    cells, descriptors, index = random_case(1)
    inner = np.abs(index - np.rint(index)).min(axis=1) > 1e-3
    _, _, gradient = evaluate(name, cells, descriptors, index)
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = 1e-4
        ahead = evaluate(name, cells, descriptors, index + step)[1]
        behind = evaluate(name, cells, descriptors, index - step)[1]
        slope = (ahead - behind) / 2e-4
        np.testing.assert_allclose(gradient[inner, axis], slope[inner], rtol=1e-6, atol=1e-2)


@pytest.mark.parametrize("name", KERNELS)
def test_on_a_cell_border_the_gradient_is_the_mean_of_both_sides(name: str) -> None:
    cells, descriptors, index = random_case(2)
    index = np.rint(index)
    size = np.asarray(cells.shape[2::-1])
    index = index[np.all((index > 0) & (index < size - 1), axis=1)]
    _, _, gradient = evaluate(name, cells, descriptors[: len(index)], index)
    for axis in range(3):
        step = np.eye(3)[axis] * 1e-3
        ahead = evaluate(name, cells, descriptors[: len(index)], index + step)[1]
        behind = evaluate(name, cells, descriptors[: len(index)], index - step)[1]
        np.testing.assert_allclose(gradient[:, axis], (ahead - behind) / 2e-3, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("name", KERNELS)
def test_sums_are_exact_at_the_extremes(name: str) -> None:
    cells = np.full((2, 2, 2, 16), -127, np.int8)
    descriptors = np.full((1, 16), -127, np.int8)
    _, value, gradient = evaluate(name, cells, descriptors, np.full((1, 3), 0.25))
    assert value[0] == 16 * 127 * 127
    assert not gradient.any()


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, -1e-9])
def test_points_nowhere_add_nothing(name: str, bad: float) -> None:
    cells, descriptors, _ = random_case(3)
    index = np.full((1, 3), 0.5)
    index[0, 1] = bad
    inside, value, gradient = evaluate(name, cells, descriptors[:1], index)
    assert (inside, value[0], *gradient[0]) == (0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", KERNELS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_every_kernel_has_the_portable_ones_bits(name: str, seed: int) -> None:
    cells, descriptors, index = random_case(seed, count=75)  # two strips and a part of one
    index[::7] = np.rint(index[::7])  # on borders the gradient is a mean of two
    expected = evaluate("portable", cells, descriptors, index)
    for one, other in zip(evaluate(name, cells, descriptors, index), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", KERNELS)
def test_each_of_the_eight_dots_is_exact(name: str) -> None:
    """At a cell the value is that cell's dot, at whatever place among the 8 the point's own cell has."""
    cells, descriptors, _ = random_case(4, count=8 * 8)
    corners = np.array(list(np.ndindex(2, 2, 2)))
    for corner in corners:
        alone = np.zeros((2, 2, 2, 16), np.int8)
        alone[tuple(corner)] = cells[0, 0, 0]
        share = np.where(corner[::-1], 0.75, 0.25)  # a power of 2 each: the blend is exact, too
        index = np.broadcast_to(share, (len(descriptors), 3))
        _, value, _ = evaluate(name, alone, descriptors, index)
        dots = descriptors.astype(np.int32) @ cells[0, 0, 0].astype(np.int32)
        np.testing.assert_array_equal(value, dots * 0.75**3)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("fixed", [-127, 127])
@pytest.mark.parametrize("moving", [-127, 127])
def test_no_sum_overflows(name: str, fixed: int, moving: int) -> None:
    cells = np.full((3, 3, 3, 16), moving, np.int8)
    descriptors = np.full((40, 16), fixed, np.int8)
    inside, value, gradient = evaluate(name, cells, descriptors, np.full((40, 3), 0.25))
    assert inside == 40
    assert np.all(value == 16 * fixed * moving)
    assert not gradient.any()
