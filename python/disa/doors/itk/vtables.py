# SPDX-License-Identifier: Apache-2.0
"""Sizes of C++ vtables as a library's symbol table gives them, to prove that two builds lay out ITK's classes alike."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

_SYMBOL = re.compile(r"^[0-9a-f]+ ([0-9a-f]+) [VvdDrRwWuB] vtable for (.+)$")


def vtable_sizes(library: Path, *, dynamic: bool) -> dict[str, int]:
    """Bytes of each vtable in an object or library, by class name without spaces.

    Args:
        library: ELF file.
        dynamic: read the dynamic symbols of a stripped library instead of an object's own.
    """
    flags = "-DCS" if dynamic else "-CS"
    listing = subprocess.run(["nm", flags, str(library)], capture_output=True, text=True, check=True).stdout
    matches = (_SYMBOL.match(line) for line in listing.splitlines())
    return {m.group(2).replace(" ", ""): int(m.group(1), 16) for m in matches if m}


def wheel_sizes(folder: Path, classes: Iterable[str]) -> dict[str, int]:
    """Bytes of the named classes' vtables in the itk wheel's libraries."""
    wanted = set(classes)
    found: dict[str, int] = {}
    for module in ("Common", "FFT", "IOTransformBase"):
        sizes = vtable_sizes(next(folder.glob(f"_ITK{module}Python.*.so")), dynamic=True)
        found.update({name: size for name, size in sizes.items() if name in wanted})
    return found


def differences(built: Mapping[str, int], wheel: Mapping[str, int]) -> list[str]:
    """One line for each class whose vtable the wheel lacks or has in another size."""
    return [
        f"{name}: {size} bytes here, {wheel.get(name, 'none')} in the itk wheel"
        for name, size in built.items()
        if wheel.get(name) != size
    ]
