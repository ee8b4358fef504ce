# SPDX-License-Identifier: Apache-2.0
"""One process at a time, among those that share a file system."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from disa.errors import OutputError


@contextmanager
def locked(path: Path, busy: str = "") -> Iterator[None]:
    """Hold the lock of a file that no other process holds; the lock of one that dies is free.

    Args:
        path: an empty file that is made beside what is locked, and is gone after the block.
        busy: what is said where another process holds it; empty: wait until it is free.

    Raises:
        OutputError: it cannot be made, the file system has no locks, or another process holds it.
    """
    file = _held(path, busy)
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # before it is free: who waits for it makes another one


def _held(path: Path, busy: str) -> IO[str]:
    """The open file whose lock is held, and which is still the one at that path."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a")
        except OSError as problem:
            raise OutputError(f"{path}: cannot be made: {problem.strerror}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return file
        except FileNotFoundError:
            pass  # its holder took it away
        except OSError as problem:
            file.close()
            if busy and problem.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise OutputError(busy) from None
            raise OutputError(f"{path}: cannot be locked: {problem.strerror}; use another file system") from None
        file.close()
