# SPDX-License-Identifier: Apache-2.0
"""Where no thread can be started, which ends SimpleITK and OpenBLAS, every door says so in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from disa.threads import POOLS, allowed_cores, check_threads_start

CAPABILITIES = "-all,+dac_override,+dac_read_search"
NOBODY = [
    "setpriv", "--reuid=65534", "--clear-groups", f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}",
]  # fmt: skip
"""Root has no limit of processes; this one still reads what root may."""

COMMAND = """
import resource
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
from disa.cli.app import app
app(["features", "none.nii", "-o", "none.disa"])
"""

CALL = """
import resource
import SimpleITK as sitk
import disa, disa.pose.register
image = sitk.GaussianSource(size=(20, 20, 20))
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
try:
    disa.register(image, image)
except disa.DISAError as error:
    raise SystemExit(f"disa: {error}")
"""


def as_limited() -> list[str]:
    """What goes before a command, so that limits of processes hold for it."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None or subprocess.run([*NOBODY, "true"], check=False).returncode != 0:
        pytest.skip("root has no limit of processes, and setpriv does not make another user here")
    return NOBODY


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits threads as Linux does")
@pytest.mark.parametrize("script", [COMMAND, CALL], ids=["command", "call"])
def test_it_is_one_line(script: str) -> None:
    command = [*as_limited(), sys.executable, "-B", "-c", script]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1, ran.stderr
    said = f"disa: threads: 0 of {POOLS * allowed_cores()} can be started; raise the limit (ulimit -u, or that of the "
    assert ran.stderr.startswith(said) and len(ran.stderr.splitlines()) == 1


def test_they_are_started_once_in_a_process() -> None:
    check_threads_start.cache_clear()
    check_threads_start()
    check_threads_start()
    assert check_threads_start.cache_info().misses == 1
