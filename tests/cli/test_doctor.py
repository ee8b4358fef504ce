# SPDX-License-Identifier: Apache-2.0
"""`disa doctor`."""

from __future__ import annotations

import json

from disa.cli.app import app
from helpers.commands import run


def test_the_doctor_finds_this_installation_well() -> None:
    result = run(app, ["doctor", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["failures"] == [] and "disa-lc2" in found["models"] and "portable" in found["kernels"]
    assert 0 <= found["self_test_error_mm"] < 1 and found["self_test_seconds"] > 0
    assert "self-test" in run(app, ["doctor"]).output
