# SPDX-License-Identifier: Apache-2.0
"""Whether the system lets this process start threads: libraries below this package end it where it does not."""

from __future__ import annotations

import functools
import os
import threading

from disa.errors import DISAError

POOLS = 2
"""Of one thread a core, that a registration has at a time: SimpleITK's and ONNX Runtime's."""


@functools.cache
def check_threads_start() -> None:
    """Start as many threads as libraries will, once in a process, and let them end.

    Raises:
        DISAError: fewer can be started, by a limit of the user, the container or the job.
    """
    wanted = POOLS * allowed_cores()
    may_end = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(wanted):
            thread = threading.Thread(target=may_end.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        raise DISAError(
            f"threads: {len(started)} of {wanted} can be started; raise the limit (ulimit -u, or that of the container "
            "or job), or hold the process to fewer cores by taskset"
        ) from None
    finally:
        may_end.set()
        for thread in started:
            thread.join()


def allowed_cores() -> int:
    """Cores that the process is held to."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
