# SPDX-License-Identifier: Apache-2.0
"""Volumes that a network is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import ImageError
from disa.features.network_grid import covering_grid
from disa.features.preparation import limited, normalize, scaled, smooth_for
from disa.features.weights import local_deviation
from disa.geometry.grid import Grid
from disa.io.images import ImageLike, image_name, load_image
from disa.sealing.options import SealOptions

FloatArray = npt.NDArray[np.float32]

LARGEST = 96
"""Voxels a side that are measured on, from the middle of a volume."""

LEAST_DEVIATION = 1e-3
"""Of the neighbourhoods in the middle of a volume, whose own deviation is 1; less is rounding."""

PHANTOM = (60, 64, 56)


@dataclass(frozen=True)
class Sample:
    """A volume as the network is to see it.

    Attributes:
        volume: shape (z, y, x), normalised as was asked for.
        weights: of the network's cells, shape (ceil(z / stride), ...): how much each counts in a registration.
    """

    volume: FloatArray
    weights: FloatArray


def samples_of(volumes: Sequence[ImageLike], options: SealOptions) -> list[Sample]:
    """What is measured on, from images or, without any, from a made-up one. Raises ImageError for one of no use."""
    if not volumes:
        return [_sample(phantom(options.spacing), "the built-in volume", options)]
    return [_sample(load_image(image), image_name(image), options) for image in volumes]


def phantom(spacing: float) -> sitk.Image:
    """Blobs with edges and noise, made up."""
    rng = np.random.default_rng(0)
    noise = sitk.GetImageFromArray(rng.normal(size=PHANTOM).astype(np.float32))
    blobs = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 3.0))
    blobs /= blobs.std()
    pixels = np.where(blobs > 0.5, 2.0, 0.0) + np.where(blobs < -1.0, -1.5, 0.0) + 0.5 * blobs
    pixels += 0.05 * rng.normal(size=PHANTOM)
    image = sitk.GetImageFromArray(pixels.astype(np.float32))
    image.SetSpacing((spacing,) * 3)
    return image


def _sample(image: sitk.Image, name: str, options: SealOptions) -> Sample:
    prepared = normalize(smooth_for(limited(image), options.spacing), name)
    grid = covering_grid(Grid.of(image), options.spacing, name=name)
    part = _middle(grid.linear(prepared, is_continued=True))
    volume = scaled(sitk.GetArrayFromImage(part), prepared, options.normalisation)
    weights = local_deviation(part, stride=options.stride)
    if weights.max() < LEAST_DEVIATION:
        raise ImageError(f"{name}: the {LARGEST} voxels in its middle are of one value; expected structure there")
    return Sample(volume, weights)


def _middle(image: sitk.Image) -> sitk.Image:
    size = np.minimum(image.GetSize(), LARGEST)
    first = (np.asarray(image.GetSize()) - size) // 2
    middle: sitk.Image = sitk.RegionOfInterest(image, size.tolist(), first.tolist())
    return middle
