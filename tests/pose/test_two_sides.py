# SPDX-License-Identifier: Apache-2.0
"""The pose does not depend on which image is called fixed, nor on where a mask lies."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from helpers.images import rotation, structured_image

TRUTH = sitk.Euler3DTransform((20.0, 60.0, 50.0), 0.06, -0.05, 0.08, (6.0, -5.0, 4.0))


@pytest.fixture(scope="module")
def whole() -> sitk.Image:
    return structured_image((80, 76, 72), seed=11)


def seen_by(image: sitk.Image, truth: sitk.Transform, first: tuple[int, ...], size: tuple[int, ...]) -> sitk.Image:
    """A part of the image, inverted, where a transform puts it, on a turned grid that holds nothing else."""
    part = sitk.RegionOfInterest(image, size, first)
    turn = rotation(6, -9, 5)
    centre = part.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in size])
    middle = np.asarray(truth.TransformPoint(centre))
    grid = np.asarray(size) + 14
    origin = middle - turn @ ((grid - 1) / 2 * 2.0)
    place = (origin.tolist(), (2.0,) * 3, turn.ravel().tolist())
    return -1.0 * sitk.Resample(part, grid.tolist(), truth.GetInverse(), sitk.sitkLinear, *place, 0.0)


def corners_of(image: sitk.Image) -> np.ndarray:
    ends = np.array(list(np.ndindex(2, 2, 2))) * (np.asarray(image.GetSize()) - 1)
    return np.array([image.TransformIndexToPhysicalPoint(end.tolist()) for end in ends])


def error(transform: sitk.Transform, truth: sitk.Transform, points: np.ndarray) -> float:
    moved = [np.subtract(transform.TransformPoint(p), truth.TransformPoint(p)) for p in points.tolist()]
    return float(np.linalg.norm(moved, axis=1).mean())


@pytest.mark.parametrize(
    ("first", "size"),
    [((16, 14, 12), (46, 46, 46)), ((0, 0, 30), (80, 76, 42))],
    ids=["contained", "half in common"],
)
def test_either_image_may_be_the_fixed_one(whole: sitk.Image, first: tuple[int, ...], size: tuple[int, ...]) -> None:
    moving = seen_by(whole, TRUTH, first, size)
    fixed = whole if size[0] < 80 else sitk.RegionOfInterest(whole, (80, 76, 52), (0, 0, 0))
    points = corners_of(sitk.RegionOfInterest(whole, (30, 30, 18), (25, 23, 32)))
    start = sitk.Euler3DTransform()
    there = disa.register(fixed, moving, initial_transform=start).transform
    back = disa.register(moving, fixed, initial_transform=start).transform
    assert error(start, TRUTH, points) > 5
    assert error(there, TRUTH, points) < 1.0
    assert error(back.GetInverse(), TRUTH, points) < 1.0


@pytest.mark.parametrize("masked", ["fixed", "moving"])
def test_a_mask_on_either_image_does_not_lead_away(whole: sitk.Image, masked: str) -> None:
    """A ball of 30 mm about a structure near the border."""
    moving = seen_by(whole, TRUTH, (4, 4, 4), (70, 68, 64))
    centre = np.asarray(whole.TransformIndexToPhysicalPoint((24, 50, 34)))
    image, middle = (whole, centre) if masked == "fixed" else (moving, np.asarray(TRUTH.TransformPoint(centre)))
    places = np.stack(np.meshgrid(*(np.arange(n) for n in image.GetSize()), indexing="ij"), -1).reshape(-1, 3)
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    near = np.linalg.norm(places @ axes.T + image.GetOrigin() - middle, axis=1) < 30
    pixels = near.reshape(image.GetSize()).transpose(2, 1, 0).astype(np.uint8)
    mask = sitk.GetImageFromArray(np.ascontiguousarray(pixels))
    mask.CopyInformation(image)
    masks = {f"{masked}_mask": mask}
    found = disa.register(whole, moving, initial_transform=sitk.Euler3DTransform(), **masks).transform
    assert error(found, TRUTH, centre + np.array(list(np.ndindex(2, 2, 2))) * 20 - 10) < 1.5
