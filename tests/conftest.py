# SPDX-License-Identifier: Apache-2.0
"""Fixtures that tests of several folders share, and marks by where a test is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

pytest.register_assert_rewrite("helpers")

from disa.core import FeatureVolume  # noqa: E402
from helpers.images import rotation, structured_image  # noqa: E402
from helpers.marks import marks_of, may_hold  # noqa: E402


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`-m quick` imports only what holds quick tests: to import what others need takes longer than these tests."""
    if config.option.markexpr == "quick" and not may_hold("quick", collection_path):
        return True
    return None


def pytest_itemcollected(item: pytest.Item) -> None:
    own = {mark.name for mark in item.iter_markers()} & {"images", "slow"}
    for mark in marks_of(item.path):
        if not (own and mark == "quick"):
            item.add_marker(mark)


@pytest.fixture
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of few pixels, which take longer than most registrations of these tests."""
    monkeypatch.setattr("disa.report.view.MOST_VOXELS", 1e5)


@pytest.fixture(scope="session")
def image() -> sitk.Image:
    return structured_image()


@pytest.fixture(scope="session")
def oblique_image() -> sitk.Image:
    return structured_image(seed=1, direction=rotation(20, -10, 30).ravel().tolist())


@pytest.fixture(scope="session")
def make_features() -> Callable[..., FeatureVolume]:
    """Smooth random descriptors of norm 1 or less, int8 or float32."""

    def make(
        shape: Sequence[int] = (12, 13, 14),
        *,
        quantized: bool = True,
        seed: int = 0,
        spacing: float = 8.0,
        origin: Sequence[float] = (3.0, -20.0, 11.0),
        direction: np.ndarray | None = None,
        network: str | None = None,
    ) -> FeatureVolume:
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(*shape, 16))
        for axis in range(3):
            values = values + np.roll(values, 1, axis)
        values /= np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1.0)
        weights = rng.uniform(0.1, 1.0, shape).astype(np.float32)
        scale = float(np.abs(values).max()) / 127
        data = np.rint(values / scale).astype(np.int8) if quantized else values.astype(np.float32)
        return FeatureVolume(
            data=data,
            scale=scale if quantized else 1.0,
            weights=weights,
            origin=origin,
            spacing=(spacing,) * 3,
            direction=(np.eye(3) if direction is None else direction).ravel(),
            network=network,
        )

    return make
