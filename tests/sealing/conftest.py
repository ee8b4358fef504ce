# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _known_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of these tests take no process each; `tests/network/test_child_trial.py` looks at that."""
    for module in ("disa.network.session", "disa.sealing.trial"):
        monkeypatch.setattr(f"{module}.try_in_child", lambda content, path, providers: None)
