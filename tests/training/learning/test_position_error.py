# SPDX-License-Identifier: Apache-2.0
"""The loss on positions against a loop."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("yaml", reason="training settings need PyYAML")

from disa.training.learning.position_error import position_error  # noqa: E402
from helpers import crop_pairs as crops  # noqa: E402


def test_it_is_the_mean_cross_entropy_over_samples_whose_place_is_seen() -> None:
    draw, _ = crops.drawn(1)
    descriptors = crops.random_descriptors(2)
    entropies, left_out = [], 0
    for pair in range(2):
        inside = draw.moving_inside[pair].numpy()[None]
        for sample, index in enumerate(draw.fixed_cells[pair].numpy()):
            at = crops.cell(index, 6)
            offsets = np.vstack([np.zeros((1, 3)), draw.offsets[pair, sample].numpy()])
            places = draw.to_moving[pair].numpy() @ np.c_[4.0 * np.array(at[::-1]) + offsets, np.ones(len(offsets))].T
            seen = [crops.read(inside, place, 2)[0] > 0.5 for place in places.T]
            fixed = descriptors.samples[pair].numpy()[(slice(None), *at)]
            logits = [fixed @ crops.read(descriptors.moving[pair].numpy(), place, 2) / 0.07 for place in places.T]
            if seen[0]:
                entropies.append(crops.cross_entropy([v for v, s in zip(logits, seen, strict=True) if s]))
            left_out += len(seen) - sum(seen)
    assert left_out > 5
    assert len(entropies) < 20
    got = float(position_error(descriptors.samples, descriptors.moving, draw, 0.07))
    assert got == pytest.approx(np.mean(entropies), rel=1e-4)
