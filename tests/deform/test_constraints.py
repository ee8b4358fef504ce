# SPDX-License-Identifier: Apache-2.0
"""Rigid parts and landmarks: on fields, and in `disa.deformable_register`."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.deform.fields import sample, to_transform
from disa.deform.flow import flow_near
from disa.deform.landmarks import Landmarks
from disa.deform.rigid_parts import RigidParts, rigid_fit
from disa.deform.schedule import DEFORM_SCHEDULE
from disa.geometry.grid import Grid
from helpers.images import rotation
from helpers.known_deformation import Pair, deformed_pair, known_displacement, moved

NODES = Grid.isotropic((14, 13, 12), np.array([3.0, -8.0, 20.0]), 8.0, rotation(20, -10, 30))


@pytest.fixture(scope="module")
def pair() -> Pair:
    return deformed_pair()


def labels_of(boxes: dict[int, tuple[slice, slice, slice]]) -> sitk.Image:
    """Labels in boxes of voxels of 2 mm, (z, y, x), over the nodes' extent."""
    x, y, z = (4 * n - 3 for n in NODES.size)
    values = np.zeros((z, y, x), np.uint8)
    for label, box in boxes.items():
        values[box] = label
    return Grid((x, y, z), NODES.origin, NODES.spacing / 4, NODES.direction).image_of(values)


def points_of(labels: sitk.Image, label: int) -> np.ndarray:
    """Some voxels of a label, shape (60, 3), mm."""
    voxels = np.argwhere(sitk.GetArrayFromImage(labels) == label)[:, ::-1]
    return Grid.of(labels).points(np.random.default_rng(0).permutation(voxels)[:60])


def strain(before: np.ndarray, after: np.ndarray) -> float:
    """mm, the largest change of a distance between two of some points."""
    apart = [np.linalg.norm(p[:, None] - p, axis=-1) for p in (before, after)]
    return float(np.abs(apart[0] - apart[1]).max())


def waves(nodes: Grid) -> np.ndarray:
    x, y, z = nodes.size
    places = nodes.points(np.indices((z, y, x)).reshape(3, -1)[::-1].T)
    return (known_displacement(places) @ nodes.direction).reshape(z, y, x, 3)


def test_parts_are_rigid_under_an_affine_start_and_the_rest_stays() -> None:
    start = sitk.AffineTransform(3)
    start.SetMatrix((rotation(5, 0, 10) @ np.diag([1.1, 0.95, 1.0])).ravel().tolist())
    start.SetTranslation((4.0, -9.0, 2.0))
    matrix, offset = np.asarray(start.GetMatrix()).reshape(3, 3), np.asarray(start.GetTranslation())
    boxes = {1: (slice(6, 20), slice(8, 12), slice(8, 14)), 7: (slice(30, 40), slice(30, 40), slice(36, 40))}
    labels = labels_of(boxes)
    field = waves(NODES)
    parts = RigidParts(labels, False, matrix, offset)
    before = sitk.CompositeTransform([start, to_transform(field, NODES)])
    held = parts.held(field, NODES, before, None, DEFORM_SCHEDULE)
    after = sitk.CompositeTransform([start, to_transform(held, NODES)])
    for label in boxes:
        points = points_of(labels, label)
        assert strain(points, moved(before, points)) > 0.5
        assert strain(points, moved(after, points)) < 1e-9
        assert np.linalg.norm(moved(after, points) - moved(before, points), axis=1).mean() < 3.0
    far = np.linalg.norm(held - field, axis=-1) == 0
    assert 0.05 < far.mean() < 0.95


def test_parts_of_the_moving_image_are_seen_through_the_transform() -> None:
    field = waves(NODES)
    there = to_transform(field, NODES, 2)
    labels = labels_of({1: (slice(18, 30), slice(18, 30), slice(18, 30))})
    held = RigidParts(labels, True, np.eye(3), np.zeros(3)).held(field, NODES, there, None, DEFORM_SCHEDULE)
    points = Grid.of(labels).points(np.random.default_rng(0).uniform(8, 40, (4000, 3)))
    ends = Grid.of(labels).indices(moved(there, points))
    inside = points[((ends > 18.5) & (ends < 28.5)).all(axis=1)]
    assert len(inside) > 50
    assert strain(inside, moved(to_transform(held, NODES), inside)) < 1e-9
    flow = flow_near(held, NODES)
    assert strain(inside, moved(to_transform(flow.forward, flow.nodes), inside)) < 0.2


def test_a_rigid_fit_is_simpleitks_landmark_based_transform() -> None:
    rng = np.random.default_rng(0)
    sources = rng.normal(scale=20.0, size=(9, 3))
    targets = sources @ rotation(10, 20, -30).T + rng.normal(scale=2.0, size=(9, 3))
    weights = rng.uniform(0.5, 2.0, 9)
    expected = sitk.LandmarkBasedTransformInitializer(
        sitk.VersorRigid3DTransform(), sources.ravel().tolist(), targets.ravel().tolist()
    )
    turn, shift = rigid_fit(sources, targets, np.ones(9))
    np.testing.assert_allclose(sources @ turn.T + shift, moved(expected, sources), atol=1e-6)
    turn, shift = rigid_fit(sources, targets, weights)
    weighted = (weights * ((sources @ turn.T + shift - targets) ** 2).sum(1)).sum()
    assert weighted < (weights * ((moved(expected, sources) - targets) ** 2).sum(1)).sum()


def test_landmarks_pull_as_far_as_they_are_exact() -> None:
    points = NODES.points(np.random.default_rng(2).uniform(3, 9, (5, 3)))
    targets = points + np.array([6.0, -4.0, 3.0])

    def left(tolerance: float) -> float:
        field = Landmarks(points, targets, tolerance).pull(points, NODES, DEFORM_SCHEDULE)
        return float(np.linalg.norm(moved(to_transform(field, NODES), points) - targets, axis=1).mean())

    assert left(0.1) < 0.3
    assert 0.3 < left(5.0) < 3.0
    assert left(1e3) == pytest.approx(np.linalg.norm([6.0, -4.0, 3.0]), abs=0.1)


def test_a_registration_keeps_to_both(pair: Pair) -> None:
    """A landmark that is 12 mm off on purpose leads astray there; a box is rigid."""
    fixed, moving, points = pair
    box = np.zeros(fixed.GetSize()[::-1], np.uint8)
    box[14:24, 14:24, 14:24] = 3
    labels = Grid.of(fixed).image_of(box)
    inside = Grid.of(fixed).points(np.argwhere(box)[::17, ::-1])
    free = disa.deformable_register(fixed, moving, stride=4)
    wrong = moved(free.transform, points[-1:]) + np.array([0.0, 12.0, 0.0])
    known = disa.Constraints(
        fixed_rigid_parts=labels, fixed_landmarks=points[-1:], moving_landmarks=wrong, landmark_tolerance=0.5
    )
    held = disa.deformable_register(fixed, moving, stride=4, constraints=known)
    assert strain(inside, moved(free.transform, inside)) > 0.5
    assert strain(inside, moved(held.transform, inside)) < 1e-9
    assert np.linalg.norm(moved(held.transform, points[-1:]) - wrong) < 1.5
    nodes = Grid.of(held.displacement_field.GetDisplacementField())
    assert np.isfinite(sample(held.displacement_field, nodes)).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fixed_landmarks": [[0, 0, 0]]}, r"^fixed_landmarks and moving_landmarks go together; give both"),
        (
            {"fixed_landmarks": [[0, 0, 0]], "moving_landmarks": [[0, 0, 0], [1, 1, 1]]},
            r"^moving_landmarks: expected as many as fixed_landmarks, 1, got 2",
        ),
        (
            {"fixed_landmarks": [0, 0, 0], "moving_landmarks": [0, 0, 0]},
            r"^fixed_landmarks: expected finite points in mm, shape \(n, 3\), got shape \(3,\)",
        ),
        ({"landmark_tolerance": 0}, r"^landmark_tolerance: expected mm above 0, got 0"),
        ({"fixed_rigid_parts": sitk.Image(8, 8, 8, sitk.sitkUInt8)}, r"^fixed_rigid_parts: every voxel is 0"),
        ({"fixed_rigid_parts": 1, "moving_rigid_parts": 1}, r"^moving_rigid_parts: expected fixed_rigid_parts or"),
    ],
)
def test_constraints_that_cannot_be_used(pair: Pair, given: dict[str, object], message: str) -> None:
    with pytest.raises(disa.RegistrationError, match=message):
        disa.deformable_register(*pair[:2], constraints=disa.Constraints(**given))  # type: ignore[arg-type]


def test_constraints_want_a_linear_start(pair: Pair) -> None:
    start = to_transform(np.zeros((*NODES.shape, 3)), NODES)
    known = disa.Constraints(fixed_landmarks=[[0, 0, 0]], moving_landmarks=[[0, 0, 0]])
    with pytest.raises(disa.RegistrationError, match=r"^initial_transform: expected a linear one"):
        disa.deformable_register(*pair[:2], initial_transform=start, constraints=known)
