from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("scipy")

import mind  # noqa: E402

from disa.training.validate.mind import mind_ssc  # noqa: E402


def test_mind_ssc_in_scipy_is_that_in_pytorch() -> None:
    volume = np.random.default_rng(0).normal(size=(16, 18, 20)).astype(np.float32)
    inner = (slice(4, -4),) * 3
    expected = mind_ssc(torch.from_numpy(volume)).numpy()[inner]
    np.testing.assert_allclose(mind.mind_ssc(volume)[inner], expected, atol=2e-4)
