# SPDX-License-Identifier: Apache-2.0
"""NIfTI files of vectors, byte by byte as other tools write them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

ORIGIN = np.array((10.0, 20.0, -7.0))
SPACING = 2.0


def ras_positions(shape: tuple[int, int, int] = (6, 7, 8)) -> np.ndarray:
    """Of the voxels of `write_field`'s files, shape (z, y, x, 3), mm (RAS); x and y fall along the axes."""
    z, y, x = np.mgrid[tuple(slice(0, n) for n in shape)].astype(float)
    return np.stack([-SPACING * x, -SPACING * y, SPACING * z], -1) + ORIGIN


def write_field(path: Path, values: np.ndarray, code: int, name: str = "", first: float = 0.0) -> None:
    """A 5-D file of float32 vectors.

    Args:
        path: .nii file.
        values: shape (z, y, x, 3).
        code, name, first: the intent's code, name and first parameter.
    """
    z, y, x = values.shape[:3]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 5, x, y, z, 1, 3, 1, 1)
    struct.pack_into("<f", header, 56, first)
    struct.pack_into("<h2h", header, 68, code, 16, 32)
    struct.pack_into("<8f", header, 76, 1, *[SPACING] * 3, 1, 1, 1, 1)
    struct.pack_into("<2f", header, 108, 352, 1)
    header[123] = 2  # mm
    struct.pack_into("<2h", header, 252, 0, 1)
    for row, sign in enumerate((-1, -1, 1)):
        line = [0.0, 0.0, 0.0, ORIGIN[row]]
        line[row] = sign * SPACING
        struct.pack_into("<4f", header, 280 + 16 * row, *line)
    header[328 : 328 + len(name)] = name.encode()
    header[344:348] = b"n+1\0"
    path.write_bytes(bytes(header) + np.ascontiguousarray(np.moveaxis(values, 3, 0)).astype("<f4").tobytes())
