# SPDX-License-Identifier: Apache-2.0
"""Changes of crops that training makes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.sampling.augment import FAINTEST, fade, spoil  # noqa: E402

BORDER = 12


def crops(count: int = 6) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(count, 32, 32, 32)


def test_no_share_changes_nothing() -> None:
    crop = crops()
    torch.testing.assert_close(spoil(crop, 0.0, BORDER), crop, atol=0, rtol=0)
    faded, _ = fade(crop, crop, 0.0)
    torch.testing.assert_close(faded, crop)


def test_fading_scales_both_sides_alike_about_the_mean() -> None:
    crop = crops() + 3
    faded, seen = fade(crop, crop[:, :16], 1.0)
    ratio = faded.std(dim=(1, 2, 3)) / crop.std(dim=(1, 2, 3))
    assert ratio.min() >= FAINTEST * 0.99 and ratio.max() <= 1 and ratio.std() > 0.02
    torch.testing.assert_close(faded.mean(dim=(1, 2, 3)), crop.mean(dim=(1, 2, 3)))
    torch.testing.assert_close(seen, faded[:, :16])


def test_spoiled_crops_stay_finite_and_are_cut_only_near_the_border() -> None:
    crop = crops(24)
    spoiled = spoil(crop, 1.0, BORDER)
    assert spoiled.isfinite().all()
    inner = spoiled[:, BORDER:-BORDER, BORDER:-BORDER, BORDER:-BORDER]
    lowest = spoiled.amin(dim=(1, 2, 3), keepdim=True)
    outermost = spoiled[:, :1]
    assert (outermost == outermost.amin(dim=(1, 2, 3), keepdim=True)).float().mean() > 0.5
    assert (inner == lowest).float().mean() < 0.01
