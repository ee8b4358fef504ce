# SPDX-License-Identifier: Apache-2.0
"""Transforms in files of MATLAB's version 4, as ITK and ANTs write them: two columns of numbers each."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from disa.geometry.transform_numbers import LARGEST
from disa.io.numbers import shown
from disa.io.transform_blocks import Block

_HEADER = struct.Struct("<5i")
_DOUBLE, _FLOAT = 0, 10
_LONGEST_NAME = 200


def blocks_of_matrices(path: Path) -> list[Block]:
    """Every transform of such a file.

    Raises:
        ValueError: it is cut short, or holds something else; empty where nothing in it looks like a transform.
        OSError: it cannot be read.
    """
    found = list(_columns(path.read_bytes()))
    if not found or len(found) % 2 or any(name != "fixed" for name, _ in found[1::2]):
        raise ValueError("expected for each transform its parameters and a column `fixed`; write it again")
    return [Block(kind, one, other) for (kind, one), (_, other) in zip(found[::2], found[1::2], strict=True)]


def _columns(content: bytes) -> Iterator[tuple[str, list[float]]]:
    place = 0
    while place < len(content):
        if len(content) - place < _HEADER.size:
            raise ValueError("ends early; copy or write it again")
        kind, rows, columns, imaginary, length = _HEADER.unpack_from(content, place)
        place += _HEADER.size
        if kind not in (_DOUBLE, _FLOAT) or imaginary or min(rows, columns) < 0 or not 1 < length <= _LONGEST_NAME:
            raise ValueError
        size = rows * columns * (8 if kind == _DOUBLE else 4)
        if len(content) - place < length + size:
            raise ValueError("ends early; copy or write it again")
        name = content[place : place + length].split(b"\0")[0].decode("latin-1")
        numbers = np.frombuffer(content, "<f8" if kind == _DOUBLE else "<f4", rows * columns, place + length)
        if not (np.abs(numbers) <= LARGEST).all():
            raise ValueError(f"{shown(name)} holds NaN, infinity or a number beyond {LARGEST:g}; write it again")
        yield name, numbers.astype(np.float64).tolist()
        place += length + size
