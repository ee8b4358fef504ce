# SPDX-License-Identifier: Apache-2.0
"""What lies at a path: only a regular file is read, for a pipe may never end and a device has no end."""

from __future__ import annotations

import stat
from pathlib import Path

from disa.errors import DISAError

FOLDER = "is a folder"
_KINDS = {
    stat.S_IFDIR: FOLDER,
    stat.S_IFIFO: "is a pipe",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
    stat.S_IFSOCK: "is a socket",
}


def kind_of(path: Path) -> str:
    """In words what is there, links followed; empty for a regular file. Raises OSError where nothing is."""
    return _KINDS.get(stat.S_IFMT(path.stat().st_mode), "")


def check_file(path: Path, expected: str, error: type[DISAError], may_be_empty: bool = False) -> None:
    """Raise `error` in one line unless there is a regular file with something in it.

    Args:
        path: of the file.
        expected: ends the line.
        error: what is raised.
        may_be_empty: whether a file of no bytes will do.
    """
    try:
        kind = kind_of(path)
        if not (kind or may_be_empty or path.stat().st_size):
            kind = "is empty"
    except FileNotFoundError:
        kind = "no such file"
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        kind = f"cannot be read: {getattr(problem, 'strerror', None) or problem}"
    if kind:
        raise error(f"{path}: {kind}; {expected}")
