"""The runs of the network, counted."""

from __future__ import annotations

from typing import Any

import pytest

from disa.features import cache
from disa.network import describer


class CountingExtractor:
    """Counts the runs of the network, by stride, from an empty memory on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.strides: list[int] = []
        original = describer.run_network

        def run(volume: Any, path: Any, stride: int, *rest: Any) -> Any:
            self.strides.append(stride)
            return original(volume, path, stride, *rest)

        cache.clear()
        monkeypatch.setattr(describer, "run_network", run)
