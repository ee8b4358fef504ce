# SPDX-License-Identifier: Apache-2.0
"""Units of length in the headers of NRRD and MetaImage, which ITK passes over: all numbers are mm to it."""

from __future__ import annotations

import re
from pathlib import Path

from disa.errors import ImageError
from disa.io.numbers import shown

_LONGEST = 2**16
"""Bytes of a header that are looked at."""

_NRRD = re.compile(r"^(?:space )?units: *(.*)$", re.MULTILINE | re.IGNORECASE)
_META = re.compile(r"^DistanceUnits[ \t]*[=:][ \t]*(.*)$", re.MULTILINE)

_OTHERS = re.compile(r"[dcun\u00b5\u03bc]?m|(deci|centi|micro|nano)?met(er|re)s?|microns?|in|inch(es)?", re.IGNORECASE)
"""Words for lengths other than mm. A word for no length, such as a time's, is let pass."""


def check_units(path: Path) -> None:
    """Raises ImageError where a NRRD or MetaImage header gives lengths in another unit than mm. Others pass."""
    name = path.name.lower()
    if name.endswith((".nrrd", ".nhdr")):
        header = re.split(r"\r?\n\r?\n", _start_of(path), maxsplit=1)[0]
        words = [word for line in _NRRD.findall(header) for word in re.findall(r'"([^"]*)"', line)]
    elif name.endswith((".mha", ".mhd")):
        words = _META.findall(_start_of(path).partition("ElementDataFile")[0])
    else:
        return
    for word in words:
        if _OTHERS.fullmatch(word.strip()):
            raise ImageError(
                f"{path}: its lengths are in {shown(word.strip())}, which ITK takes for mm; write its spacing and "
                "origin in mm"
            )


def _start_of(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LONGEST).decode("utf-8", "replace")
