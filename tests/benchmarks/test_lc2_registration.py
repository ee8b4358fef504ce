# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("nlopt")
pytest.importorskip("scipy")

from geometry import sample_points, turned  # noqa: E402
from lc2_registration import LC2, register  # noqa: E402
from pairs import Pair  # noqa: E402

from disa.features.network_grid import covering_grid  # noqa: E402
from disa.features.preparation import normalize  # noqa: E402
from disa.features.weights import local_variance  # noqa: E402
from disa.geometry.grid import Grid  # noqa: E402
from disa.training.targets.lc2 import MARGIN  # noqa: E402
from disa.training.targets.lc2_images import lc2_of_images  # noqa: E402


def textured(seed: int) -> sitk.Image:
    noise = np.random.default_rng(seed).normal(size=(36, 40, 44)).astype(np.float32)
    image = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(noise), 3.0)
    image.SetSpacing((2.0, 2.0, 2.0))
    return image


def pair_of(fixed: sitk.Image, moving: sitk.Image) -> Pair:
    points = sample_points(fixed)
    return Pair(fixed, moving, None, None, points, points, sitk.Euler3DTransform())


def test_value_is_that_of_the_training_target() -> None:
    fixed, moving = textured(0), textured(1)
    lc2 = LC2(pair_of(fixed, moving), 2.0)
    grid = covering_grid(Grid.of(fixed), 2.0)
    seen = grid.linear(normalize(fixed), is_continued=True)
    # outside, LC2 has the moving image's darkest value
    low = float(sitk.GetArrayFromImage(normalize(moving)).min())
    placed = sitk.Resample(normalize(moving), seen, sitk.Transform(), sitk.sitkLinear, low)
    a, b = (torch.from_numpy(sitk.GetArrayFromImage(image)) for image in (seen, placed))
    both = 0.5 * (lc2_of_images(a, b) + lc2_of_images(b, a)).numpy()[::4, ::4, ::4]
    inner = (slice(MARGIN, -MARGIN, 4),) * 3
    ones = sitk.GetArrayFromImage(sitk.Resample(sitk.Cast(fixed * 0 + 1, sitk.sitkFloat32), seen))[inner] > 0
    weights = local_variance(seen)[inner] * ones
    expected = float((weights * both).sum() / weights.sum())
    assert 0.05 < expected < 0.95
    assert lc2(sitk.Euler3DTransform()) == pytest.approx(expected, abs=2e-4)


def test_what_leaves_the_moving_image_or_its_mask_adds_nothing() -> None:
    fixed, moving = textured(0), textured(0)
    whole = LC2(pair_of(fixed, moving), 2.0)
    away = sitk.Euler3DTransform()
    away.SetTranslation((500.0, 0.0, 0.0))
    assert whole(away) == 0.0
    mask = sitk.Cast(moving * 0, sitk.sitkUInt8)
    mask[:22] = 1
    points = sample_points(fixed)
    masked = LC2(Pair(fixed, moving, None, mask, points, points, sitk.Euler3DTransform()), 2.0)
    assert 0.3 < masked(sitk.Euler3DTransform()) / whole(sitk.Euler3DTransform()) < 0.7


def test_bobyqa_finds_a_negative_again() -> None:
    image = textured(2)
    pair = pair_of(image, turned(5 - 2 * image, np.random.default_rng(0)))
    start = sitk.Euler3DTransform(pair.points.mean(axis=0).tolist(), 0.08, -0.05, 0.06, (4.0, -3.0, 3.0))
    assert pair.error(start) > 5.0
    end, evaluations = register(pair, start)
    assert pair.error(end) < 0.8
    assert 50 < evaluations < 400
