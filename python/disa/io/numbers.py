# SPDX-License-Identifier: Apache-2.0
"""Numbers in texts: decimal, finite, and no larger than a place or a matrix can be."""

from __future__ import annotations

import re

from disa.geometry.transform_numbers import LARGEST

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def number_of(word: str) -> float:
    """The number that a word is, written as C++, ITK and spreadsheets all read it.

    Raises:
        ValueError: it is another word, NaN or infinite, or beyond `LARGEST`; the message says which, without the place.
    """
    word = word.strip()
    if not _NUMBER.fullmatch(word):
        raise ValueError(f"{shown(word)} is not a finite number")
    value = float(word)
    if abs(value) > LARGEST:
        raise ValueError(f"{shown(word)} is beyond {LARGEST:g} mm")
    return value


def shown(word: str) -> str:
    """A word as a message quotes it: ASCII, and cut where it is long."""
    return ascii(word if len(word) <= 40 else f"{word[:40]}...")
