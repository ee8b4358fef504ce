"""The runs of the network, counted."""

from __future__ import annotations

from typing import Any

import pytest

from disa.features import extract as features_module


class CountingExtractor:
    """Counts the runs of the network, by image."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.strides: list[int] = []
        original = features_module.run_network

        def run(volume: Any, path: Any, stride: int, *rest: Any) -> Any:
            self.strides.append(stride)
            return original(volume, path, stride, *rest)

        monkeypatch.setattr(features_module, "run_network", run)
