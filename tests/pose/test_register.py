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
from disa.pose import task as registration_task
from disa.pose.task import FIXED_STRIDE, REACH, Task

CORNERS = 30.0 * np.array(list(itertools.product((-1, 1), repeat=3)))
FAR = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.45, -0.3, 0.4, (42.0, -51.0, 38.0))


def waves(count: int, spacing: float, transform: sitk.Transform | None = None, fade: bool = True) -> disa.FeatureVolume:
    """Descriptors known everywhere, waves of length 1 in a ball of 45 mm, as a transform's fixed side sees them.

    Outside of the ball weights fade, and so do descriptors, which draws deformations to its middle, unless told not to.
    """
    first = -0.5 * (count - 1) * spacing
    axis = first + spacing * np.arange(count)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)[..., ::-1]
    if transform is not None:
        moved = [transform.TransformPoint(p) for p in points.reshape(-1, 3).tolist()]
        points = np.asarray(moved).reshape(points.shape)
    rng = np.random.default_rng(0)
    phases = points @ rng.uniform(-0.2, 0.2, (3, 16)) + rng.uniform(0, 6, 16)
    values = np.sin(phases) / np.linalg.norm(np.sin(phases), axis=-1, keepdims=True)
    lengths = 1 / (1 + np.exp((np.linalg.norm(points, axis=-1) - 45) / 2))
    return disa.FeatureVolume(
        data=(values * lengths[..., None] if fade else values).astype(np.float32),
        scale=1.0,
        weights=(lengths**2).astype(np.float32),
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
    voxel, boxes = 1.5, []
    for features in (whole, part):
        task = Task.open(
            features, waves(51, 4.0), FAR, "rigid", 0, None, None, None, "disa-lc2", 2.0, FIXED_STRIDE, None, 1
        )
        axes = np.asarray(FAR.GetMatrix()).reshape(3, 3)
        low, high = task.compared_box(task.initial, voxel) @ axes
        z, y, x = np.nonzero(features.weights)
        points = np.stack([x, y, z], -1) * 8.0 + features.origin
        moved = np.asarray([FAR.TransformPoint(p) for p in points.tolist()]) @ axes
        assert (low <= moved.min(axis=0) - REACH * voxel + 1e-6).all()
        assert (low > moved.min(axis=0) - (REACH + 4) * voxel - 1e-6).all()
        assert (high >= moved.max(axis=0) + REACH * voxel - 1e-6).all()
        assert (high < moved.max(axis=0) + (REACH + 4) * voxel + 1e-6).all()
        boxes.append(np.stack([low, high]))
    steps = (boxes[1] - boxes[0]) / (4 * voxel)  # whole, so that the same voxels are in both
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    assert steps[0, 1] >= 7 and not np.rint(steps[:, [0, 2]]).any()


def with_voxel(value: float) -> sitk.Image:
    image = structured_image((20, 20, 20))
    image[3, 4, 5] = value
    return image


def with_parameter(value: float) -> sitk.Transform:
    return sitk.Euler3DTransform((0.0, 0.0, 0.0), value, 0.0, 0.0)


def masks() -> tuple[sitk.Image, sitk.Image]:
    """All 0, and far from the image."""
    empty = sitk.Image((9, 9, 9), sitk.sitkUInt8)
    elsewhere = empty + 1
    elsewhere.SetOrigin((1e4, 0.0, 0.0))
    return empty, elsewhere


EMPTY, ELSEWHERE = masks()
NAN = float("nan")

BAD_SEARCHES: dict[str, tuple[dict[str, Any], str]] = {
    "no starts": ({"starts": 0}, "starts: expected 1 or more, got 0"),
    "negative starts": ({"starts": -3}, "starts: expected 1 or more, got -3"),
    "half starts": ({"starts": 2.5}, "starts: expected a whole number, got 2.5"),
    "text as starts": ({"starts": "10"}, "starts: expected a whole number, got '10'"),
    "too many starts": ({"starts": 10**12}, "starts: expected 1000000 or less"),
    "NaN rotation": ({"rotation": NAN}, "rotation: expected 0 to 180 degrees, got nan"),
    "negative rotation": ({"rotation": -1.0}, "rotation: expected 0 to 180 degrees, got -1.0"),
    "text as rotation": ({"rotation": "40"}, "rotation: expected 0 to 180 degrees, got 40"),
    "negative translation": ({"translation": -1.0}, "translation: expected 0 or more mm, got -1.0"),
    "endless translation": ({"translation": float("inf")}, "translation: expected 0 or more mm, got inf"),
    "range that never overlaps": (
        {"initial_transform": sitk.TranslationTransform(3, (1e4, 0.0, 0.0))},
        "do not overlap under any of 20 starts",
    ),
    "negative seed": ({"seed": -1}, "seed: expected 0 or more, got -1"),
    "half seed": ({"seed": 0.5}, "seed: expected a whole number, got 0.5"),
}
"""Of the global search alone."""

BAD_OPTIONS: dict[str, tuple[type[disa.DISAError], dict[str, Any], str]] = {
    "kind": (disa.RegistrationError, {"transform": "elastic"}, "transform: expected one of translation, rigid"),
    "stride": (disa.RegistrationError, {"stride": 3}, "stride: expected 4, 2 or 1, got 3"),
    "negative threads": (disa.RegistrationError, {"threads": -1}, "threads: expected 0 or more, got -1"),
    "text as threads": (disa.RegistrationError, {"threads": "2"}, "threads: expected a whole number, got '2'"),
    "text as probe": (
        disa.RegistrationError,
        {"transform": "probe", "probe": "skin"},
        "probe: expected a disa.ProbePressure, got str",
    ),
    "NaN angle": (
        disa.RegistrationError,
        {"initial_transform": with_parameter(NAN)},
        "initial_transform: expected finite parameters",
    ),
    "NaN translation": (
        disa.RegistrationError,
        {"initial_transform": sitk.TranslationTransform(3, (NAN, 0.0, 0.0))},
        "initial_transform: expected finite parameters",
    ),
    "NaN centre": (
        disa.RegistrationError,
        {"initial_transform": sitk.Euler3DTransform((NAN, 0.0, 0.0))},
        "initial_transform: expected finite parameters",
    ),
    "singular transform": (
        disa.RegistrationError,
        {"initial_transform": sitk.AffineTransform([0.0] * 9, (0.0, 0.0, 0.0))},
        "initial_transform: expected a transform that can be inverted",
    ),
    "2-D transform": (
        disa.RegistrationError,
        {"initial_transform": sitk.Euler2DTransform()},
        "initial_transform: expected a 3-D",
    ),
    "deformable": (
        disa.RegistrationError,
        {"initial_transform": sitk.BSplineTransform(3)},
        "initial_transform: expected a linear",
    ),
    "no transform": (
        disa.RegistrationError,
        {"initial_transform": "a.tfm"},
        "initial_transform: expected a SimpleITK transform",
    ),
    "2-D image": (disa.ImageError, {"moving": sitk.Image(9, 9, sitk.sitkFloat32)}, "moving: expected a 3-D image"),
    "4-D image": (
        disa.ImageError,
        {"fixed": sitk.Image([8, 8, 8, 2], sitk.sitkFloat32)},
        "fixed: expected a 3-D image, got a 4-D one",
    ),
    "empty image": (disa.ImageError, {"moving": sitk.Image()}, "moving: expected a 3-D image"),
    "NaN image": (disa.ImageError, {"fixed": with_voxel(NAN)}, "fixed: expected finite intensities"),
    "infinite image": (disa.ImageError, {"moving": with_voxel(float("inf"))}, "moving: expected finite intensities"),
    "constant image": (disa.ImageError, {"moving": ELSEWHERE}, "moving: every voxel is 1"),
    "type": (disa.ImageError, {"fixed": 3}, "fixed: expected a SimpleITK image"),
    "missing": (disa.ImageError, {"fixed": "/nowhere/ct.nii.gz"}, "/nowhere/ct.nii.gz: no such file"),
    "empty fixed mask": (disa.ImageError, {"fixed_mask": EMPTY}, "fixed_mask: every voxel is 0"),
    "empty moving mask": (disa.ImageError, {"moving_mask": EMPTY}, "moving_mask: every voxel is 0"),
    "far fixed mask": (disa.RegistrationError, {"fixed_mask": ELSEWHERE}, "fixed_mask: leaves no fixed descriptor"),
    "far moving mask": (disa.RegistrationError, {"moving_mask": ELSEWHERE}, "moving_mask: leaves no moving descriptor"),
    "spacing": (disa.ImageError, {"spacing": 0.0}, "spacing: expected mm above 0, got 0.0"),
    "text as spacing": (disa.ImageError, {"spacing": "2"}, "spacing: expected mm above 0, got 2"),
    "fine spacing": (disa.ImageError, {"fine_spacing": NAN}, "fine_spacing: expected mm above 0, got nan"),
    "model": (disa.ModelError, {"model": "none"}, "model none: no such model"),
    "number as model": (disa.ModelError, {"model": 5}, "model: expected a name or a path to an .onnx file, got 5"),
    "text as providers": (disa.ModelError, {"providers": "CUDA"}, "providers: expected a list of names"),
}


@pytest.mark.parametrize(
    ("register", "case"),
    [
        pytest.param(register, case, id=f"{register.__name__} {name}")
        for register in (disa.global_register, disa.register)
        for name, case in {
            **(
                {k: (disa.RegistrationError, *v) for k, v in BAD_SEARCHES.items()}
                if "global" in register.__name__
                else {}
            ),
            **BAD_OPTIONS,
        }.items()
    ],
)
def test_bad_input_is_one_line(
    register: Callable[..., disa.RegistrationResult], case: tuple[type[disa.DISAError], dict[str, Any], str]
) -> None:
    kind, options, message = case
    image = structured_image((20, 20, 20))
    arguments: dict[str, Any] = {"fixed": image, "moving": image, **options}
    if register is disa.global_register:
        arguments = {"starts": 20, **arguments}
    with pytest.raises(kind) as caught:
        register(arguments.pop("fixed"), arguments.pop("moving"), **arguments)
    assert message in str(caught.value) and "\n" not in str(caught.value)


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


def test_a_local_registration_looks_about_where_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known_pose("rigid")
    start = sitk.Euler3DTransform(truth)
    start.SetTranslation((np.asarray(truth.GetTranslation()) + np.array([20.0, 20.0, 0.0])).tolist())
    ball = np.asarray(truth.GetInverse().TransformPoint((0.0, 0.0, 0.0))) + 0.6 * CORNERS

    fixed, moving = waves(17, 8.0, truth), waves(51, 8 / 5**0.5)

    def error() -> float:
        return distance(disa.register(fixed, moving, initial_transform=start).transform, truth, ball)

    assert error() < 1.5
    monkeypatch.setattr(registration_task, "EXPLORED", (1, 0.0, 0.0))
    assert error() > 20
