# SPDX-License-Identifier: Apache-2.0
"""What a NIfTI header says: type, size, and where the voxels lie."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LENGTH, LENGTH_2 = 348, 540
"""Bytes of the header of NIfTI-1 and of NIfTI-2."""
CODES_AT = 252
"""Bytes before the codes of qform and sform, of 2 bytes each."""

BITS = {
    2: 8,
    4: 16,
    8: 32,
    16: 32,
    32: 64,
    64: 64,
    128: 24,
    256: 8,
    512: 16,
    768: 32,
    1024: 64,
    1280: 64,
    2304: 32,
}
"""Bits of a voxel of each type that ITK reads."""

UNREADABLE = {0: "no type", 1: "single bits", 1536: "128-bit floats", 1792: "128-bit complex", 2048: "256-bit complex"}

_UNITS = {1: 1000.0, 3: 0.001}
"""mm of a metre and a micrometre."""
_TO_LPS = np.diag((-1.0, -1.0, 1.0))


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """Of a NIfTI file.

    Attributes:
        version: 1; 0 of Analyze 7.5; 2, and the rest then means nothing.
        order: "<" or ">", of its bytes.
        size: along each axis.
        datatype: code of the voxels' type.
        offset: bytes before the voxels.
        codes: of qform and sform; 0 where there is none.
        qform, sform: (origin, steps), shapes (3,) and (3, 3) with the steps of each axis as columns, mm (LPS).
    """

    version: int
    order: str
    size: tuple[int, ...]
    datatype: int
    offset: int
    codes: tuple[int, int]
    qform: tuple[FloatArray, FloatArray]
    sform: tuple[FloatArray, FloatArray]

    @property
    def needed(self) -> int:
        """Bytes of the whole file, uncompressed."""
        return self.offset + math.prod(self.size) * BITS.get(self.datatype, 0) // 8


def parse(content: bytes) -> NiftiHeader | None:
    """The header that some first bytes of a file hold; None where they hold none."""
    for order in "<>":
        if len(content) < LENGTH:
            return None
        length = struct.unpack_from(f"{order}i", content)[0]
        if length == LENGTH or (length == LENGTH_2 and content[4:7] in (b"n+2", b"ni2")):
            return _parsed(content, order, 1 if length == LENGTH else 2)
    return None


def _parsed(content: bytes, order: str, version: int) -> NiftiHeader:
    def values(kind: str, at: int) -> tuple[float, ...]:
        return struct.unpack_from(order + kind, content, at)

    magic = content[344:348]
    codes = values("2h", 252)
    scale = _UNITS.get(content[123] & 7, 1.0)
    return NiftiHeader(
        0 if version == 1 and magic not in (b"n+1\0", b"ni1\0") else version,
        order,
        _size(values("8h", 40)),
        int(values("h", 70)[0]),
        _whole(values("f", 108)[0]),
        (int(codes[0]), int(codes[1])),
        _qform(values("8f", 76), values("6f", 256), scale),
        _sform(values("12f", 280), scale),
    )


def _whole(value: float) -> int:
    return int(value) if math.isfinite(value) else 0


def _size(dim: tuple[float, ...]) -> tuple[int, ...]:
    """Along each axis, trailing axes of 1 beyond the third left out; empty where the header is damaged."""
    count = int(dim[0])
    if not 1 <= count <= 7:
        return ()
    size = [int(n) for n in dim[1 : count + 1]]
    while len(size) > 3 and size[-1] == 1:
        size.pop()
    return tuple(size)


def _sform(rows: tuple[float, ...], scale: float) -> tuple[FloatArray, FloatArray]:
    with np.errstate(all="ignore"):
        affine = scale * _TO_LPS @ np.reshape(rows, (3, 4))
    return affine[:, 3], affine[:, :3]


def _qform(pixdim: tuple[float, ...], quaternion: tuple[float, ...], scale: float) -> tuple[FloatArray, FloatArray]:
    """Source: nifti1.h, "METHOD 2"."""
    with np.errstate(all="ignore"):
        b, c, d = np.asarray(quaternion[:3])
        rest = 1.0 - (b * b + c * c + d * d)
        if rest < 1e-7:
            length = np.sqrt(b * b + c * c + d * d)
            a, b, c, d = 0.0, b / length, c / length, d / length
        else:
            a = np.sqrt(rest)
        turned = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
            ]
        )
        spacing = np.array([value if value > 0 else 1.0 for value in pixdim[1:4]])
        spacing[2] *= -1.0 if pixdim[0] < 0 else 1.0
        return scale * _TO_LPS @ np.asarray(quaternion[3:]), scale * _TO_LPS @ turned * spacing
