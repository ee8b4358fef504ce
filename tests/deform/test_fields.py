# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from disa.deform.fields import (
    LEAST_DETERMINANT,
    corner_determinants,
    sample,
    to_transform,
    without_folds,
)
from disa.geometry.grid import Grid
from helpers.images import rotation

NODES = Grid.isotropic((6, 7, 5), np.array([3.0, -8.0, 20.0]), 4.0, rotation(20, -10, 30))


def places() -> np.ndarray:
    """Of the nodes along the nodes' axes from its first node, mm, shape (z, y, x, 3)."""
    x, y, z = NODES.size
    return NODES.spacing * np.moveaxis(np.indices((z, y, x)), 0, -1)[..., ::-1]


def test_a_field_survives_the_way_to_a_transform_and_back() -> None:
    field = np.random.default_rng(0).normal(size=(5, 7, 6, 3))
    transform = to_transform(field, NODES)
    np.testing.assert_allclose(sample(transform, NODES), field, atol=1e-12)
    node = NODES.origin + NODES.direction @ (NODES.spacing * np.array([2, 4, 1]))
    np.testing.assert_allclose(np.subtract(transform.TransformPoint(node), node), NODES.direction @ field[1, 4, 2])


def test_padding_continues_the_border() -> None:
    field = np.random.default_rng(0).normal(size=(5, 7, 6, 3))
    outside = sample(to_transform(field, NODES, 2), NODES.padded(2))
    np.testing.assert_allclose(outside[2:-2, 2:-2, 2:-2], field, atol=1e-12)
    np.testing.assert_allclose(outside[0, 3, -1], field[0, 1, -1], atol=1e-12)


def test_the_determinant_of_an_affine_field() -> None:
    matrix = np.eye(3) + np.random.default_rng(1).normal(scale=0.3, size=(3, 3))
    determinants = corner_determinants(places() @ (matrix - np.eye(3)).T, NODES.step)
    assert determinants.shape == (4, 6, 5, 8)
    np.testing.assert_allclose(determinants, np.linalg.det(matrix))


def test_corners_are_one_sided_derivatives_of_the_transform() -> None:
    field = np.random.default_rng(2).normal(scale=0.5, size=(5, 7, 6, 3))
    transform = to_transform(field, NODES)
    corner = NODES.spacing * np.array([3, 2, 1])  # of cell (z, y, x) = (1, 1, 3): low in x, high in y, low in z
    inwards = np.array([1.0, -1.0, 1.0])
    step = 1e-4

    def moved(arm: np.ndarray) -> np.ndarray:
        return np.asarray(transform.TransformPoint(NODES.origin + NODES.direction @ (corner + arm)))

    start = moved(np.zeros(3))
    columns = [
        (moved(step * inwards * axis) - start) @ NODES.direction / (step * (inwards @ axis)) for axis in np.eye(3)
    ]
    determinants = corner_determinants(field, NODES.step)[1, 1, 3]
    expected = np.linalg.det(np.stack(columns, axis=1))
    assert determinants[0b010] == pytest.approx(expected, abs=1e-6)  # x, y, z


def test_folds_are_smoothed_away_and_the_rest_stays() -> None:
    rng = np.random.default_rng(3)
    field = 0.2 * rng.normal(size=(14, 15, 16, 3))
    field[4, 5, 6] = (9.0, -7.0, 8.0)
    assert corner_determinants(field, 4.0).min() < -1.0
    smooth = without_folds(field, 4.0)
    assert corner_determinants(smooth, 4.0).min() >= LEAST_DETERMINANT
    np.testing.assert_array_equal(smooth[11:], field[11:])
    assert without_folds(smooth, 4.0) is smooth


def test_noise_of_folds_ends_without_any() -> None:
    noise = np.random.default_rng(4).normal(scale=20.0, size=(6, 6, 6, 3))
    smooth = without_folds(noise, 4.0)
    assert corner_determinants(smooth, 4.0).min() >= LEAST_DETERMINANT
    nodes = Grid.isotropic((6, 6, 6), np.zeros(3), 4.0)
    central = sitk.DisplacementFieldJacobianDeterminant(to_transform(smooth, nodes).GetDisplacementField())
    assert sitk.GetArrayFromImage(central).min() > 0
