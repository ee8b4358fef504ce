"""Registration in one call, over descriptors of a known pose and over images."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import rotation, structured_image
from registration_helpers import TRUTH, displaced_images

import disa

CORNERS = 30.0 * np.array(list(itertools.product((-1, 1), repeat=3)))
FAR = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.45, -0.3, 0.4, (42.0, -51.0, 38.0))


def waves(count: int, spacing: float, transform: sitk.Transform | None = None) -> disa.FeatureVolume:
    """Descriptors known everywhere, waves of length 1 in a ball of 45 mm, as a transform's fixed side sees them."""
    first = -0.5 * (count - 1) * spacing
    axis = first + spacing * np.arange(count)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)[..., ::-1]
    if transform is not None:
        moved = [transform.TransformPoint(p) for p in points.reshape(-1, 3).tolist()]
        points = np.asarray(moved).reshape(points.shape)
    rng = np.random.default_rng(0)
    phases = points @ rng.uniform(-0.2, 0.2, (3, 16)) + rng.uniform(0, 6, 16)
    values = np.sin(phases) / np.linalg.norm(np.sin(phases), axis=-1, keepdims=True)
    values /= 1 + np.exp((np.linalg.norm(points, axis=-1, keepdims=True) - 45) / 2)
    return disa.FeatureVolume(
        data=values.astype(np.float32),
        scale=1.0,
        weights=(values**2).sum(-1).astype(np.float32),
        origin=(first,) * 3,
        spacing=(spacing,) * 3,
        direction=np.eye(3).ravel(),
    ).quantized()


def distance(one: sitk.Transform, other: sitk.Transform, points: np.ndarray) -> float:
    """Mean in mm between where two transforms take points."""
    pairs = [(one.TransformPoint(p), other.TransformPoint(p)) for p in points.tolist()]
    return float(np.mean([np.linalg.norm(np.subtract(a, b)) for a, b in pairs]))


def known_pose(kind: str) -> sitk.Transform:
    if kind == "translation":
        return sitk.TranslationTransform(3, FAR.GetTranslation())
    if kind == "rigid":
        return FAR
    if kind == "similarity":
        return sitk.Similarity3DTransform(1.12, (0.2, -0.1, 0.15), 0.0, FAR.GetTranslation(), (0.0, 0.0, 0.0))
    matrix = rotation(15, -12, 20) @ (np.eye(3) + 0.06 * np.array([[1, 1, 0], [0, -1, 1], [1, 0, 1]]))
    return sitk.AffineTransform(matrix.ravel().tolist(), FAR.GetTranslation())


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
    assert -1 < result.value < -0.2
    values = [optimum.value for optimum in result.optima]
    assert values == sorted(values) and values[0] < values[-1]
    for one, other in itertools.combinations(result.optima, 2):
        assert distance(one.transform, other.transform, points) > 4
    assert result.evaluations > 500
    assert set(result.times) >= {"fixed descriptors", "moving descriptors", "search", "refinement"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.value = 0.0  # type: ignore[misc]


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


def bad_options(pair: Any) -> dict[str, tuple[dict[str, Any], str]]:
    fixed = pair[0]
    empty = sitk.Image(fixed.GetSize(), sitk.sitkUInt8)
    elsewhere = empty + 1
    elsewhere.SetOrigin((1e4, 0.0, 0.0))
    nowhere = sitk.TranslationTransform(3, (1e4, 0.0, 0.0))
    return {
        "starts": ({"starts": 0}, "starts: expected 1 or more, got 0"),
        "rotation": ({"rotation": float("nan")}, "rotation: expected 0 to 180 degrees"),
        "translation": ({"translation": -1.0}, "translation: expected 0 or more mm"),
        "stride": ({"stride": 3}, "stride: expected 4, 2 or 1, got 3"),
        "kind": ({"transform": "elastic"}, "transform: expected one of translation, rigid"),
        "range": ({"initial_transform": nowhere}, "do not overlap under any of 20 starts"),
        "nan": ({"initial_transform": sitk.TranslationTransform(3, (float("nan"), 0.0, 0.0))}, "initial_transform"),
        "2-D transform": ({"initial_transform": sitk.Euler2DTransform()}, "initial_transform: expected a 3-D"),
        "deformable": ({"initial_transform": sitk.BSplineTransform(3)}, "initial_transform: expected a linear"),
        "no transform": ({"initial_transform": "a.tfm"}, "initial_transform: expected a SimpleITK transform"),
        "2-D image": ({"moving": sitk.Image(9, 9, sitk.sitkFloat32)}, "moving: expected a 3-D image"),
        "type": ({"fixed": 3}, "fixed: expected a SimpleITK image"),
        "missing": ({"fixed": "/nowhere/ct.nii.gz"}, "/nowhere/ct.nii.gz"),
        "empty fixed mask": ({"fixed_mask": empty}, "fixed_mask: every voxel is 0"),
        "fixed mask": ({"fixed_mask": elsewhere}, "fixed_mask: leaves no fixed descriptor"),
        "moving mask": ({"moving_mask": elsewhere}, "moving_mask: leaves no moving descriptor"),
        "spacing": ({"spacing": 0.0}, "spacing: expected mm above 0"),
        "model": ({"model": "none"}, "model none: no such model"),
    }


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case) for case in bad_options((sitk.Image(9, 9, 9, sitk.sitkFloat32),))]
)
def test_bad_input_is_one_line(pair: tuple[sitk.Image, sitk.Image, sitk.Transform, np.ndarray], case: str) -> None:
    options, message = bad_options(pair)[case]
    arguments = {"fixed": pair[0], "moving": pair[1], "starts": 20, **options}
    with pytest.raises(disa.DISAError) as caught:
        disa.global_register(arguments.pop("fixed"), arguments.pop("moving"), **arguments)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_descriptors_of_two_kinds_are_refused() -> None:
    features = waves(9, 8.0)
    floats = disa.FeatureVolume(
        data=features.data.astype(np.float32),
        scale=1.0,
        weights=features.weights,
        origin=features.origin,
        spacing=features.spacing,
        direction=features.direction,
    )
    with pytest.raises(disa.RegistrationError, match="int8"):
        disa.register(features, floats)


@pytest.mark.parametrize("register", [disa.global_register, disa.register])
def test_descriptors_of_two_networks_are_refused(register: Callable[..., disa.RegistrationResult]) -> None:
    features = waves(9, 8.0)
    one, other = (
        disa.FeatureVolume(
            data=features.data,
            scale=features.scale,
            weights=features.weights,
            origin=features.origin,
            spacing=features.spacing,
            direction=features.direction,
            network=network,
        )
        for network in ("11111111", "22222222")
    )
    with pytest.raises(disa.RegistrationError, match=r"of two networks \(11111111 and 22222222\)") as caught:
        register(one, other)
    assert "\n" not in str(caught.value)
    register(one, features)


def test_the_demos_pair_is_registered_from_anywhere() -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
    import demo

    fixed = demo.template("template")
    truth = demo.displacement(fixed)
    moving = demo.displaced(demo.simulated_t2(fixed), truth)
    start = sitk.Euler3DTransform(demo.centre(fixed).tolist(), 0.5, -0.4, 0.5, (-70.0, 60.0, 50.0))
    result = disa.global_register(fixed, moving, initial_transform=start)
    found = [np.asarray(result.transform.TransformPoint(p)) for p in demo.points_inside(fixed).tolist()]
    expected = [np.asarray(truth.TransformPoint(p)) for p in demo.points_inside(fixed).tolist()]
    assert np.linalg.norm(np.subtract(found, expected), axis=1).mean() < 1.0
