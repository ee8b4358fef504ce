# SPDX-License-Identifier: Apache-2.0
"""Random rotations."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("yaml", reason="training settings need PyYAML")

from disa.training.sampling.geometry import random_rotation, random_turn  # noqa: E402


def test_rotations_are_orthogonal_and_turns_bounded() -> None:
    random = np.random.default_rng(11)
    determinants = set()
    for _ in range(20):
        rotation, turn = random_rotation(random), random_turn(random, 30)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        determinants.add(round(float(np.linalg.det(rotation))))
        assert np.trace(turn) >= 1 + 2 * np.cos(np.deg2rad(30)) - 1e-12
        assert np.linalg.det(turn) == pytest.approx(1)
    assert determinants == {-1, 1}
