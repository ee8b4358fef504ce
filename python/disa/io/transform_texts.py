# SPDX-License-Identifier: Apache-2.0
"""Transforms in texts: ITK's .tfm and .txt, and MINC's .xfm."""

from __future__ import annotations

import re
from pathlib import Path

from disa.io.numbers import number_of, shown
from disa.io.transform_blocks import Block

_BYTE_ORDER_MARK = "\xef\xbb\xbf"
_TAGS = ("Parameters", "FixedParameters")
_LINEAR = re.compile(r"Transform_Type\s*=\s*Linear\s*;\s*Linear_Transform\s*=([^;=]*);", re.ASCII)


def blocks_of_text(path: Path) -> list[Block]:
    """Every transform of a text of ITK's. Comments may be of any bytes.

    Raises:
        ValueError: it is no such text; with the line, and empty where nothing in it looks like a transform.
        OSError: it cannot be read.
    """
    blocks: list[Block] = []
    kind, numbers = "", dict[str, list[float]]()
    for at, line in enumerate(_text_of(path).split("\n"), 1):
        name, separator, rest = (part.strip() for part in line.partition(":"))
        if not line.strip() or name.startswith("#"):
            continue
        if name == "Transform" and rest:
            blocks += [_block(kind, numbers)] if kind else []
            kind, numbers = rest, {}
            continue
        if not kind:
            raise ValueError
        if not separator or name not in _TAGS or name in numbers:
            raise ValueError(
                f"line {at}: {shown(line.strip())}; expected Transform, and each of {', '.join(_TAGS)} once"
            )
        try:
            numbers[name] = [number_of(word) for word in rest.split()]
        except ValueError as error:
            raise ValueError(f"line {at}: {error}; write the transform again") from None
    if not kind:
        raise ValueError
    return [*blocks, _block(kind, numbers)]


def _block(kind: str, numbers: dict[str, list[float]]) -> Block:
    return Block(kind, *(numbers.get(name, []) for name in _TAGS))


def text_of(blocks: list[Block]) -> str:
    """A text that ITK reads as those transforms."""
    return "#Insight Transform File V1.0\n" + "".join(
        f"#Transform {index}\n{block.text()}" for index, block in enumerate(blocks)
    )


def block_of_minc(path: Path) -> Block:
    """The linear transform of a MINC text, as ITK reads it; where its matrix flattens space ITK would take another one.

    Raises:
        ValueError: it is no such text, or its numbers are not 12 finite ones; empty where it is nothing of the kind.
        OSError: it cannot be read.
    """
    lines = _text_of(path).split("\n")
    if lines[0].strip() != "MNI Transform File":
        raise ValueError
    found = _LINEAR.fullmatch("\n".join(line.partition("%")[0] for line in lines[1:]).strip())
    if not found:
        raise ValueError("expected one linear transform, Transform_Type = Linear")
    numbers = [number_of(word) for word in found[1].split()]
    if len(numbers) != 12:
        raise ValueError(f"expected 3 rows of 4 numbers, got {len(numbers)} numbers; write it again")
    rows = [numbers[at : at + 4] for at in (0, 4, 8)]
    matrix, shift = [n for row in rows for n in row[:3]], [row[3] for row in rows]
    return Block("AffineTransform_double_3_3", matrix + shift, (0.0, 0.0, 0.0))


def _text_of(path: Path) -> str:
    return path.read_bytes().decode("latin-1").removeprefix(_BYTE_ORDER_MARK)
