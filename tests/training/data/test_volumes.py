# SPDX-License-Identifier: Apache-2.0
"""What the cache keeps of a volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("yaml", reason="training settings need PyYAML")

from disa.training.data.volumes import load_cache, quantise, save_cache  # noqa: E402
from helpers.wavy_volumes import info, oblique_affine  # noqa: E402


def test_cache_keeps_soft_tissue_contrast_and_geometry(tmp_path: Path) -> None:
    random = np.random.default_rng(13)
    air, tissue = random.normal(-1000, 5, 40_000), random.normal(40, 20, 20_000)
    volume = np.concatenate([air, tissue, [3000.0] * 4_000]).round().astype(np.float32).reshape(40, 40, 40)
    affine = oblique_affine(5)
    save_cache(tmp_path / "c.npz", [(info("a", "g"), volume, affine)])
    (loaded,) = load_cache(tmp_path / "c.npz", torch.device("cpu"))
    assert loaded.info == info("a", "g")
    np.testing.assert_array_equal(loaded.affine, affine)
    error = np.abs(loaded.data.numpy() - volume)
    assert error[(volume > -50) & (volume < 130)].max() < 8  # even steps would be off by 10
    assert error.mean() < 1


def test_quantisation_of_few_values_is_exact() -> None:
    volume = np.arange(60, dtype=np.float32).reshape(3, 4, 5) * 7 - 100
    codes, table = quantise(volume)
    np.testing.assert_array_equal(table[codes], volume)
