# SPDX-License-Identifier: Apache-2.0
"""Folders for files that are not whole yet; those of processes that were killed go with the next one."""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".disa-"


@contextmanager
def scratch_in(folder: Path) -> Iterator[Path]:
    """A new folder within a folder, gone after the block. Raises OSError where it cannot be made."""
    _remove_leftovers(folder)
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{_machine()}-{os.getpid()}-", dir=folder))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _machine() -> str:
    """What tells the processes that have this one's numbers: those of one machine, and of one container of it."""
    space = os.stat("/proc/self/ns/pid").st_ino if os.path.exists("/proc/self/ns/pid") else 0
    return f"{zlib.crc32(f'{os.uname().nodename} {space}'.encode()):08x}"


def _remove_leftovers(folder: Path) -> None:
    start = f"{_PREFIX}{_machine()}-"
    for path in folder.glob(f"{start}*"):
        number = path.name.removeprefix(start).partition("-")[0]
        if number.isdecimal() and not _is_alive(int(number)):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # another user's
    return True
