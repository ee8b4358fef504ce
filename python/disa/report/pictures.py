# SPDX-License-Identifier: Apache-2.0
"""Volumes as pictures that a page holds: slices side by side in one JPEG or PNG."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

ByteArray = npt.NDArray[np.uint8]

BLOCK = 8
"""Pixels of JPEG's blocks; a slice fills whole ones, so that none is in two slices."""


@dataclass(frozen=True)
class Mosaic:
    """A volume's slices from the first in rows of a picture.

    Attributes:
        columns: slices in a row.
        width, height: pixels from one slice to the next.
        pixels: shape (rows, columns).
    """

    columns: int
    width: int
    height: int
    pixels: ByteArray


def mosaic(volume: ByteArray) -> Mosaic:
    """Of a volume of shape (z, y, x), about as wide as high."""
    depth, rows, columns = volume.shape
    padded = np.pad(volume, [(0, 0), (0, -rows % BLOCK), (0, -columns % BLOCK)], mode="edge")
    height, width = padded.shape[1:]
    across = max(1, min(depth, round(float(np.sqrt(depth * height / width)))))
    down = -(-depth // across)
    filled = np.pad(padded, [(0, across * down - depth), (0, 0), (0, 0)])
    pixels = filled.reshape(down, across, height, width).swapaxes(1, 2).reshape(down * height, across * width)
    return Mosaic(across, width, height, pixels)


def jpeg(pixels: ByteArray, quality: int) -> bytes:
    """Pixels of shape (rows, columns), or (rows, columns, 3) of red, green and blue; quality 1 to 100."""
    return _written(pixels, "picture.jpg", quality)


def png(pixels: ByteArray) -> bytes:
    """Pixels of shape (rows, columns), to the last bit."""
    return _written(pixels, "picture.png", 9)


def data_uri(picture: bytes) -> str:
    """A JPEG or PNG as a page holds it."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _written(pixels: ByteArray, name: str, compression: int) -> bytes:
    image = sitk.GetImageFromArray(np.ascontiguousarray(pixels), isVector=pixels.ndim == 3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        sitk.WriteImage(image, str(path), useCompression=True, compressionLevel=compression)
        return path.read_bytes()
