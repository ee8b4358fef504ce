# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from disa.deform.fields import corner_determinants, to_transform
from disa.deform.flow import flow_near
from disa.geometry.grid import Grid
from helpers.images import rotation
from helpers.known_deformation import moved

NODES = Grid.isotropic((12, 11, 10), np.array([3.0, -8.0, 20.0]), 8.0, rotation(20, -10, 30))


def smooth_field(amplitude: float) -> np.ndarray:
    """mm, shape (z, y, x, 3)."""
    noise = np.random.default_rng(0).normal(size=(*NODES.shape, 3))
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(noise, isVector=True), 2.0))
    return amplitude * smooth / np.linalg.norm(smooth, axis=-1).max()


def places() -> np.ndarray:
    """Points from which 12 mm do not lead out of the nodes."""
    return NODES.points(np.random.default_rng(1).uniform(1.5, np.asarray(NODES.size) - 2.5, (400, 3)))


def test_a_flow_is_near_to_the_field_and_has_an_inverse() -> None:
    field = smooth_field(12.0)
    flow = flow_near(field, NODES)
    there, back = (to_transform(way, flow.nodes) for way in (flow.forward, flow.backward))
    points = places()
    ends = moved(there, points)
    assert np.abs(ends - moved(to_transform(field, NODES), points)).max() < 0.2
    assert np.linalg.norm(moved(back, ends) - points, axis=1).max() < 0.1
    assert np.linalg.norm(moved(there, moved(back, points)) - points, axis=1).max() < 0.1


def test_a_field_that_folds_becomes_a_flow_that_does_not() -> None:
    field = smooth_field(40.0)
    assert corner_determinants(field, NODES.step).min() < 0.0
    flow = flow_near(field, NODES)
    assert min(corner_determinants(way, flow.nodes.step).min() for way in (flow.forward, flow.backward)) > 0.0
    assert np.linalg.norm(flow.forward, axis=-1).max() > 20.0


def test_noise_becomes_a_flow_too() -> None:
    nodes = Grid.isotropic((6, 6, 6), np.zeros(3), 8.0)
    flow = flow_near(np.random.default_rng(4).normal(scale=30.0, size=(6, 6, 6, 3)), nodes)
    assert corner_determinants(flow.forward, flow.nodes.step).min() > 0.0
