# SPDX-License-Identifier: Apache-2.0
"""How much memory the descriptors of an image may take: `DISA_MEMORY`, or a share of what the process may have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from disa.errors import DISAError

VARIABLE = "DISA_MEMORY"

SHARE = 0.75
"""Of the machine's memory, or of what its container or job may have, where nobody says another."""

_SIZE = re.compile(r"(\d+(?:\.\d*)?) ?([kmgt]?)i?b?", re.IGNORECASE | re.ASCII)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

_FILES = {"": "memory.max", "memory": "memory/memory.limit_in_bytes"}
"""Of a control group, by the controllers that /proc/self/cgroup names: those of version 2 and of version 1."""


def memory_limit() -> int:
    """Bytes that describing an image may take.

    Raises:
        DISAError: the environment variable DISA_MEMORY is no size.
    """
    said = os.environ.get(VARIABLE, "").strip()
    if not said:
        return int(SHARE * available_memory())
    size = _SIZE.fullmatch(said)
    limit = int(float(size[1]) * _UNITS[size[2].lower()]) if size else 0
    if limit < 1:
        raise DISAError(f"environment variable {VARIABLE}: expected a size such as 8G or 500M, got {said!r}")
    return limit


def available_memory(root: Path = Path("/")) -> int:
    """Bytes of the machine, or of the control group that the process is in, the least of them.

    Args:
        root: of the file system that says so.
    """
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(physical, *_limits_of_groups(root), physical)


def _limits_of_groups(root: Path) -> Iterator[int]:
    """Of the process' control group and those about it, as far as they are seen from here."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = line.split(":", 2)
        for controller in controllers.split(","):
            if controller not in _FILES:
                continue
            folder, _, name = _FILES[controller].rpartition("/")
            top = root / "sys/fs/cgroup" / folder
            group = top / place.lstrip("/")
            for each in (group, *group.parents):
                if each.is_relative_to(top):
                    yield from _number_in(each / name)


def _number_in(path: Path) -> Iterator[int]:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return
    if text.isdigit():  # else it is "max"
        yield int(text)


def readable(size: float) -> str:
    """A size in bytes, in the unit that a reader wants."""
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"
