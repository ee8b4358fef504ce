# SPDX-License-Identifier: Apache-2.0
"""Some damaged files of every kind; `make fuzz` tries as many as there is time for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from helpers.mutants import damaged, outcome, seeds

COUNT = 30


def test_damaged_files_are_refused_or_taken_for_what_stands_in_them(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()
    rng = np.random.default_rng(2)
    for seed in seeds(tmp_path):
        path = tmp_path / f"damaged-{seed.name}"
        path.write_bytes(seed.content)
        assert outcome(seed, path) == "accepted", seed.name
        for _ in range(round(COUNT * seed.share)):
            path.write_bytes(damaged(seed.content, rng))
            counts[outcome(seed, path)] += 1
    assert set(counts) == {"refused", "accepted"}, counts
    assert counts["refused"] > counts["accepted"]
    assert "Traceback" not in capfd.readouterr().err
