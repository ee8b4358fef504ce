# SPDX-License-Identifier: Apache-2.0
"""Code in a Python process of its own."""

from __future__ import annotations

import os
import subprocess
import sys


def run(code: str, environment: dict[str, str], error: str = "") -> str:
    """What the code prints in a process of its own, or the text of the error it ends with."""
    inherited = {key: value for key, value in os.environ.items() if key != "DISA_KERNEL"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=inherited | environment
    )
    if not error:
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
    assert done.returncode == 1
    kind, _, message = done.stderr.strip().splitlines()[-1].partition(": ")
    assert kind == f"disa.errors.{error}"
    return message
