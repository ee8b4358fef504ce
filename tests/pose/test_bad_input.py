# SPDX-License-Identifier: Apache-2.0
"""What `disa.register` and `disa.global_register` refuse, each in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import SimpleITK as sitk

import disa
from helpers.images import structured_image
from helpers.known_pose import waves


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
    "coarse last stage": (
        disa.RegistrationError,
        {"spacing": 2.0, "fine_spacing": 3.0},
        "fine_spacing: is 3 mm, coarser than the 2 mm before it",
    ),
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


DESCRIBED = ("range that never overlaps", "far fixed mask", "far moving mask")
"""Found out only when both images have descriptors."""


@pytest.mark.parametrize(
    ("register", "case"),
    [
        pytest.param(
            register, case, id=f"{register.__name__} {name}", marks=pytest.mark.images if name in DESCRIBED else ()
        )
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
