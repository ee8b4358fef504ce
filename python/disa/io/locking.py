# SPDX-License-Identifier: Apache-2.0
"""One process at a time, among those that share a file system."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from disa.errors import OutputError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock of that file, and hold it; the lock of one that dies is free.

    Args:
        path: an empty file that is made beside what is locked, and stays.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as problem:
        raise OutputError(f"{path}: cannot be made: {problem.strerror}") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
