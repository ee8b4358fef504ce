# SPDX-License-Identifier: Apache-2.0
"""An image as the network is to see it: without padding and outliers, without aliasing, normalised."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import ImageError
from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of
from disa.network.traits import Normalisation

PERCENTILES = (1.0, 99.0)
REACH = 3.0
"""Intensities further beyond these percentiles than so many times their distance are outliers. No image that the
network was trained or measured on has more than 0.2 % of them."""

SAMPLES = 2**20
"""Voxels, about, that percentiles are taken of."""

PADDED_SHARE = 1e-3
"""Share of the voxels from which one value at an end of the range may be padding."""

AIR = (-1100.0, -900.0)
"""Hounsfield units where the intensities of a CT begin."""

WRAPPED = 60_000.0
"""Negative padding that was read as an unsigned 16-bit number lies above."""

MAXIMUM_VARIANCE = 100.0
"""Of a Gaussian at a time, squared voxels. Its kernel has 64 voxels at most, and one of several hundred overflows."""

FINEST = 100.0
"""Times as large as an image's voxels that the network's may be; more takes too many passes of the Gaussian."""
JOINED = 25.0
"""Times as large as the joined voxels that the network's then are, at least."""
WIDEST = 4.0
"""Times an image's extent that the Gaussian's deviation may be along an axis of few fine voxels: all is flat there."""


def limited(image: sitk.Image) -> sitk.Image:
    """The image without padding and with its outliers at the limit of the others; itself where it has none.

    A broken voxel, metal or what a scanner writes beyond its field of view would decide the deviation that the image is
    divided by, and leave nothing of the tissue.

    Args:
        image: float32, 3-D.

    Returns:
        The same grid. Padding of a CT (below air, such as -2000 or -3024) and wrapped padding (such as 63536) gets the
        least of the other intensities; outliers get the limit next to them.
    """
    pixels: npt.NDArray[np.float32] = pixels_of(image)
    padding = _padding_of(pixels)
    if padding is not None:
        kept = pixels != padding
        least = pixels[kept].min()
        pixels = np.where(kept, pixels, least)
    low, high = _limits_of(pixels)
    if padding is None and low <= pixels.min() and pixels.max() <= high:
        return image
    return Grid.of(image).image_of(pixels.clip(low, high))


def _padding_of(pixels: npt.NDArray[np.float32]) -> float | None:
    """The value of the padding, if there is some."""
    for value, is_wrapped in ((pixels.min(), False), (pixels.max(), True)):
        if not (value > WRAPPED if is_wrapped else value < AIR[0]):
            continue
        others = pixels[pixels != value]
        if others.size == 0 or 1 - others.size / pixels.size < PADDED_SHARE:
            continue
        if others.max() < WRAPPED / 2 if is_wrapped else AIR[0] <= others.min() <= AIR[1]:
            return float(value)
    return None


def _limits_of(pixels: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Least and greatest intensity that is no outlier; a background of the least value hides nothing brighter."""
    step = pixels.size // SAMPLES | 1  # odd, so that it goes through all columns of an image
    sample = pixels.reshape(-1)[::step]
    brighter = sample[sample != pixels.min()]
    low = float(np.percentile(sample, PERCENTILES[0]))
    high = float(np.percentile(brighter if brighter.size else sample, PERCENTILES[1]))
    return low - REACH * (high - low), high + REACH * (high - low)


def smooth_for(image: sitk.Image, voxel: float) -> sitk.Image:
    """The image blurred so that sampling it every `voxel` mm does not alias; axes already as coarse stay as they are.

    Along axes so fine that it would take many passes, voxels are first joined to larger ones by their means.

    Source: Cardoso et al., Scale factor point spread function matching, MICCAI 2015.
    """
    image = _joined(image, voxel)
    own = np.asarray(image.GetSpacing())
    variance = (voxel**2 - own**2).clip(min=0.0) / (8 * np.log(2))
    variance[variance < (0.2 * own) ** 2] = 0.0
    is_fine = voxel > FINEST * own
    extent = own * image.GetSize()
    variance[is_fine] = np.minimum(variance, (WIDEST * extent) ** 2)[is_fine]
    passes = math.ceil(float((variance / own**2).max()) / MAXIMUM_VARIANCE)
    for _ in range(passes):
        image = sitk.DiscreteGaussian(image, (variance / passes).tolist(), 64, 0.01, True)
    return image


def _joined(image: sitk.Image, voxel: float) -> sitk.Image:
    """The image with voxels joined along the axes that are too fine, two or more of them left on each."""
    ratio = voxel / np.asarray(image.GetSpacing())
    most = np.asarray(image.GetSize()) // 2
    factors = np.where(ratio > FINEST, np.floor(ratio / JOINED), 1).clip(1, most.clip(min=1)).astype(int)
    return sitk.BinShrink(image, factors.tolist()) if factors.max() > 1 else image


def normalize(image: sitk.Image, name: str = "image") -> sitk.Image:
    """The image at zero mean and unit standard deviation. Raises ImageError where it is constant."""
    pixels = pixels_of(image)
    mean, deviation = float(pixels.mean(dtype=np.float64)), float(pixels.std(dtype=np.float64))
    if not deviation > 1e-6 * max(abs(mean), 1e-30):
        raise ImageError(f"{name}: every voxel is about {mean:g} at this spacing; expected an image with structure")
    normalized: sitk.Image = (image - mean) / deviation
    return normalized


def scaled(volume: npt.NDArray[np.float32], image: sitk.Image, normalisation: Normalisation) -> npt.NDArray[np.float32]:
    """A part of an image in the range that a network wants.

    Args:
        volume: shape (z, y, x), voxels of the image on any grid.
        image: the whole of it, by `normalize`; its range counts, so that all parts are scaled alike.
        normalisation: what the network wants.
    """
    if normalisation is Normalisation.DEVIATION:
        return volume
    pixels: npt.NDArray[np.float32] = pixels_of(image)
    if normalisation is Normalisation.RANGE:
        return _between(volume, float(pixels.min()), float(pixels.max()))
    low, high = np.percentile(pixels.reshape(-1)[:: pixels.size // SAMPLES | 1], PERCENTILES)
    if not low < high:  # nearly all of it is of one intensity
        low, high = pixels.min(), pixels.max()
    return _between(volume, float(low), float(high)).clip(0, 1)


def _between(volume: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.float32]:
    return (volume - np.float32(low)) / np.float32(high - low)
