# SPDX-License-Identifier: Apache-2.0
"""The compiled code where the system makes fewer threads than asked for, and where a task fails."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from disa.core import FeatureVolume, _core

rng = np.random.default_rng(5)
shape, stack, threads = (12, 12, 12), 64 << 20, 200
fixed, moving = (
    FeatureVolume(
        data=rng.normal(0.0, 0.2, (*shape, 16)).astype(np.float32),
        scale=1.0,
        weights=np.ones(shape, np.float32),
        origin=(0.0,) * 3,
        spacing=(4.0,) * 3,
        direction=np.eye(3).ravel(),
    )
    for _ in range(2)
)
search = _core.PoseSearch("rigid", np.eye(3).ravel(), np.zeros(3), *_core.extent_of(fixed))
terms = [_core.Term(fixed, moving), _core.Term(moving, fixed)]
starts = search.draw(threads, 20.0, 10.0, 1)

def optimize(threads):
    found = search.optimize(
        starts, terms, _core.StageSettings(
            samples=64, tolerance=0.1, iterations=3, keep=5, distinct=1.0, threads=threads))
    return [(pose.parameters, pose.value) for pose in found.poses]

expected = optimize(1)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 9 * stack // 2,) * 2)
assert len(expected) == 5 and optimize(threads) == expected
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the address space as Linux does")
def test_a_search_goes_on_with_the_threads_that_there_can_be() -> None:
    """Each thread's stack takes as much address space as the limit of it says, so only four of 200 fit."""
    command = ["bash", "-c", 'ulimit -Ss 65536 && exec "$0" -c "$1"', sys.executable, PROGRAM]
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr
