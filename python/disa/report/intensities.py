# SPDX-License-Identifier: Apache-2.0
"""Intensities as bytes of a picture, and the windows that a person looks through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.geometry.pixels import pixels_of

ByteArray = npt.NDArray[np.uint8]

SAMPLED = 64
"""Slices that percentiles are taken of."""
DARKEST, BRIGHTEST = 1.0, 99.5
"""Percentiles: of all voxels, and of those above the mean, which leaves out the air."""

AIR, SOFT, METAL = -500.0, (-200.0, 300.0), 3100.0
"""HU: a CT has voxels below the first, many between the next two, and hardly any above the last."""
SOFT_SHARE, METAL_SHARE = 0.1, 0.01

CT_KNOTS = ((0, -1050.0), (60, -200.0), (205, 260.0), (255, 1600.0))
"""Bytes and HU: three HU a byte in soft tissue, more in air and bone."""
CT_WINDOWS = (("soft tissue", 40.0, 400.0), ("bone", 400.0, 1800.0), ("lung", -600.0, 1500.0))
"""Names, levels and widths, HU, as radiologists set them."""


@dataclass(frozen=True)
class Window:
    """What is black and what is white.

    Attributes:
        name: as a person calls it.
        low, high: intensities.
    """

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Coding:
    """Intensities as bytes.

    Attributes:
        knots: bytes and the intensities that they stand for, both ascending; linear between them.
        windows: the first is the one that is shown first.
        is_ct: whether intensities were taken for HU.
    """

    knots: tuple[tuple[int, float], ...]
    windows: tuple[Window, ...]
    is_ct: bool

    @property
    def least(self) -> float:
        """What byte 0 stands for."""
        return self.knots[0][1]

    def bytes_of(self, values: npt.NDArray[Any]) -> ByteArray:
        """Intensities of any shape as bytes."""
        levels, intensities = zip(*self.knots, strict=True)
        coded: ByteArray = np.rint(np.interp(values, intensities, levels)).astype(np.uint8)
        return coded


def coding_of(image: sitk.Image) -> Coding:
    """CT by what its intensities look like; all else by robust percentiles."""
    pixels = pixels_of(image)
    values = pixels[:: max(1, len(pixels) // SAMPLED)]
    if _is_ct(values):
        windows = tuple(Window(name, level - width / 2, level + width / 2) for name, level, width in CT_WINDOWS)
        return Coding(CT_KNOTS, windows, is_ct=True)
    low = float(np.percentile(values, DARKEST))
    bright = values[values > values.mean()]
    high = float(np.percentile(bright, BRIGHTEST)) if bright.size else low
    if high <= low:
        low, high = float(pixels.min()), float(pixels.max())
    high = high if high > low else low + 1.0
    return Coding(((0, low), (255, high)), (Window("robust percentiles", low, high),), is_ct=False)


def _is_ct(values: npt.NDArray[Any]) -> bool:
    soft = np.mean((values > SOFT[0]) & (values < SOFT[1]))
    return bool(values.min() <= AIR and soft >= SOFT_SHARE and np.mean(values > METAL) <= METAL_SHARE)
