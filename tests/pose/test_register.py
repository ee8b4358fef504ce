# SPDX-License-Identifier: Apache-2.0
"""Registration in one call, over descriptors of a known pose and over images."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.features.side import open_sides
from disa.network.describer import Network
from disa.pose.options import PoseOptions
from disa.pose.schedule import SCHEDULE, Draw, Schedule
from disa.pose.workspace import Workspace
from helpers.displaced import TRUTH, displaced_images
from helpers.images import structured_image
from helpers.known_pose import CORNERS, FAR, distance, known_pose, waves


@pytest.mark.parametrize("kind", ["translation", "rigid", "similarity", "affine"])
def test_a_known_pose_of_descriptors_is_found(kind: str) -> None:
    truth = known_pose(kind)
    result = disa.global_register(
        waves(17, 8.0, truth), waves(51, 8 / 5**0.5), transform=kind, starts=300, translation=70.0
    )
    ball = np.asarray(truth.GetInverse().TransformPoint((0.0, 0.0, 0.0))) + 0.6 * CORNERS
    assert distance(result.transform, truth, ball) < 1.5
    assert {
        "translation": sitk.TranslationTransform,
        "rigid": sitk.Euler3DTransform,
        "similarity": sitk.Similarity3DTransform,
        "affine": sitk.AffineTransform,
    }[kind] is type(result.transform)


@pytest.fixture(scope="module")
def pair() -> tuple[sitk.Image, sitk.Image, sitk.Transform, np.ndarray]:
    """Fixed, moving, the truth and points: a displaced, inverted copy on a turned grid."""
    fixed, moving, centre = displaced_images()
    return fixed, moving, sitk.Euler3DTransform(centre, *TRUTH[:3], TRUTH[3:]), CORNERS + centre


def away(transform: sitk.Transform, centre: np.ndarray) -> sitk.Transform:
    """A pose about 90 mm from a transform's."""
    turn = sitk.Euler3DTransform(centre.tolist(), 0.35, 0.3, -0.4, (-60.0, 40.0, 45.0))
    return sitk.CompositeTransform([transform, turn])


def test_images_are_registered_from_90_mm_off(pair: tuple[sitk.Image, sitk.Image, sitk.Transform, np.ndarray]) -> None:
    fixed, moving, truth, points = pair
    start = away(truth, points.mean(axis=0))
    assert distance(start, truth, points) > 80
    result = disa.global_register(fixed, moving, initial_transform=start)
    assert distance(result.transform, truth, points) < 1.0
    assert result.overlap > 0.95
    assert -1 < result.value < -0.1
    values = [optimum.value for optimum in result.optima]
    assert values == sorted(values) and values[0] < values[-1]
    for one, other in itertools.combinations(result.optima, 2):
        assert distance(one.transform, other.transform, points) > 4
    assert result.search_value is not None
    rivals = [o.value for o in result.optima if distance(o.transform, result.transform, points) > 15]
    assert result.search_value < min(rivals)
    assert result.search_value == pytest.approx(values[0], rel=0.2)  # as smooth, so on one scale, unlike `value`
    assert result.evaluations > 500
    assert set(result.times) >= {"fixed descriptors", "moving descriptors", "search", "refinement"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.value = 0.0  # type: ignore[misc]


@pytest.mark.slow
def test_threads_and_seed(pair: tuple[sitk.Image, sitk.Image, sitk.Transform, np.ndarray]) -> None:
    fixed, moving, truth, points = pair
    options: dict[str, Any] = {"initial_transform": away(truth, points.mean(axis=0)), "starts": 200}
    first, again, other = (
        disa.global_register(fixed, moving, threads=threads, seed=seed, **options)
        for threads, seed in ((1, 0), (3, 0), (1, 1))
    )
    assert again.transform.GetParameters() == first.transform.GetParameters()
    assert [o.value for o in again.optima] == [o.value for o in first.optima]
    assert again.evaluations == first.evaluations
    assert other.evaluations != first.evaluations
    assert distance(other.transform, first.transform, points) < 0.5


def test_local_registration_takes_paths_and_a_finer_stage(
    pair: tuple[sitk.Image, sitk.Image, sitk.Transform, np.ndarray], tmp_path: Path
) -> None:
    fixed, moving, truth, points = pair
    sitk.WriteImage(fixed, tmp_path / "fixed.nii.gz")
    sitk.WriteImage(moving, tmp_path / "moving.nii.gz")
    start = sitk.Euler3DTransform(truth)
    start.SetTranslation((20.0, 10.0, -15.0))
    result = disa.register(
        tmp_path / "fixed.nii.gz", str(tmp_path / "moving.nii.gz"), initial_transform=start, fine_spacing=1.5
    )
    assert distance(result.transform, truth, points) < 0.7
    assert len(result.optima) == 1


def test_without_an_initial_transform_centres_meet(
    pair: tuple[sitk.Image, sitk.Image, sitk.Transform, np.ndarray],
) -> None:
    fixed, moving, truth, points = pair
    shift = np.array([400.0, -900.0, 250.0])
    elsewhere = sitk.Image(moving)
    elsewhere.SetOrigin((np.asarray(moving.GetOrigin()) + shift).tolist())
    result = disa.register(fixed, elsewhere)
    expected = sitk.CompositeTransform([sitk.TranslationTransform(3, shift.tolist()), truth])
    assert distance(result.transform, expected, points) < 1.0


def test_masks_choose_what_is_compared(pair: tuple[sitk.Image, sitk.Image, sitk.Transform, np.ndarray]) -> None:
    fixed, moving, truth, points = pair
    spoiled = sitk.GetArrayFromImage(fixed)
    half = spoiled.shape[0] // 2
    spoiled[half:] = sitk.GetArrayFromImage(structured_image(fixed.GetSize(), seed=8))[half:]
    keeps = np.zeros(spoiled.shape, np.uint8)
    keeps[:half] = 1
    images = [sitk.GetImageFromArray(array) for array in (spoiled, keeps)]
    for image in images:
        image.CopyInformation(fixed)
    result = disa.register(images[0], moving, fixed_mask=images[1])
    assert distance(result.transform, truth, points) < 2.0

    full = sitk.Image(moving.GetSize(), sitk.sitkUInt8) + 1
    full.CopyInformation(moving)
    cut = sitk.Image(full)
    cut[: full.GetSize()[0] // 3, :, :] = 0
    whole, part = (disa.register(fixed, moving, moving_mask=mask) for mask in (full, cut))
    assert distance(whole.transform, truth, points) < 1.0
    assert whole.overlap > 0.95
    assert distance(part.transform, truth, points) < 2.0
    assert 0.5 < part.overlap < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize("kind", ["masked", "smaller"])
def test_a_moving_image_that_lacks_a_third_is_found(
    pair: tuple[sitk.Image, sitk.Image, sitk.Transform, np.ndarray], axis: int, kind: str
) -> None:
    """The right pose loses overlap, which wrong ones can avoid."""
    fixed, moving, truth, points = pair
    keep = [slice(None)] * 3
    keep[axis] = slice(moving.GetSize()[axis] // 3, None)
    mask = sitk.Image(moving.GetSize(), sitk.sitkUInt8)
    mask.CopyInformation(moving)
    mask[tuple(keep)] = 1
    given = {"moving": moving, "moving_mask": mask} if kind == "masked" else {"moving": moving[tuple(keep)]}
    start = away(truth, points.mean(axis=0))
    result = disa.global_register(fixed, given.pop("moving"), initial_transform=start, **given)
    assert distance(result.transform, truth, points) < 2.0
    assert 0.5 < result.overlap < 0.8


def test_moving_descriptors_are_asked_for_where_something_is_compared_with_them() -> None:
    whole = waves(17, 8.0)
    weights = whole.weights.copy()
    weights[:, :6] = 0  # y
    part = whole.replaced(weights=weights)
    voxel, boxes, reach = 1.5, [], SCHEDULE.reach
    for features in (whole, part):
        sides = open_sides(features, waves(51, 4.0), (None, None), Network())
        work = Workspace(sides, FAR, PoseOptions(threads=1), SCHEDULE)
        axes = np.asarray(FAR.GetMatrix()).reshape(3, 3)
        low, high = work.compared_box(work.initial, voxel) @ axes
        z, y, x = np.nonzero(features.weights)
        points = np.stack([x, y, z], -1) * 8.0 + features.origin
        moved = np.asarray([FAR.TransformPoint(p) for p in points.tolist()]) @ axes
        assert (low <= moved.min(axis=0) - reach * voxel + 1e-6).all()
        assert (low > moved.min(axis=0) - (reach + 4) * voxel - 1e-6).all()
        assert (high >= moved.max(axis=0) + reach * voxel - 1e-6).all()
        assert (high < moved.max(axis=0) + (reach + 4) * voxel + 1e-6).all()
        boxes.append(np.stack([low, high]))
    steps = (boxes[1] - boxes[0]) / (4 * voxel)  # whole, so that the same voxels are in both
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    assert steps[0, 1] >= 7 and not np.rint(steps[:, [0, 2]]).any()


def test_a_local_registration_looks_about_where_it_ends() -> None:
    truth = known_pose("rigid")
    start = sitk.Euler3DTransform(truth)
    start.SetTranslation((np.asarray(truth.GetTranslation()) + np.array([20.0, 20.0, 0.0])).tolist())
    ball = np.asarray(truth.GetInverse().TransformPoint((0.0, 0.0, 0.0))) + 0.6 * CORNERS

    fixed, moving = waves(17, 8.0, truth), waves(51, 8 / 5**0.5)

    def error(schedule: Schedule) -> float:
        result = disa.register(fixed, moving, initial_transform=start, schedule=schedule)
        return distance(result.transform, truth, ball)

    assert error(SCHEDULE) < 1.5
    assert error(replace(SCHEDULE, explored=Draw(1, 0.0, 0.0))) > 20
