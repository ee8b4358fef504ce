# SPDX-License-Identifier: Apache-2.0
"""MetaImage headers, looked at before ITK has them: it writes beyond its memory where they have too many axes."""

from __future__ import annotations

import re
from pathlib import Path

from disa.errors import ImageError
from disa.io.numbers import shown

ENDINGS = (".mha", ".mhd")

_LONGEST = 2**16
"""Bytes of a header that are looked at; ITK's own have some hundred."""

_AXES = re.compile(rb"NDims[ \t]*[=:][ \t]*([^\r\n]*)")


def check_meta_header(path: Path) -> None:
    """Raises ImageError where a MetaImage header says of no number of axes, or of one that no image has."""
    with path.open("rb") as file:
        header = file.read(_LONGEST)
    for found in _AXES.findall(header):
        text = found.decode("latin-1").strip()
        if text not in ("1", "2", "3", "4"):
            raise ImageError(f"{path}: NDims is {shown(text)}; expected 3 in the header of a MetaImage")
