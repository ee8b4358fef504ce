"""An image as the network is to see it: without what its voxels would alias, at zero mean and unit deviation."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk

from disa.errors import ImageError

MAXIMUM_VARIANCE = 100.0
"""Of a Gaussian at a time, squared voxels. Its kernel has 64 voxels at most, and one of several hundred overflows."""


def smooth_for(image: sitk.Image, voxel: float) -> sitk.Image:
    """The image blurred so that sampling it every `voxel` mm does not alias; axes already as coarse stay as they are.

    Source: Cardoso et al., Scale factor point spread function matching, MICCAI 2015.
    """
    own = np.asarray(image.GetSpacing())
    variance = (voxel**2 - own**2).clip(min=0.0) / (8 * np.log(2))
    variance[variance < (0.2 * own) ** 2] = 0.0
    passes = math.ceil(float((variance / own**2).max()) / MAXIMUM_VARIANCE)
    for _ in range(passes):
        image = sitk.DiscreteGaussian(image, (variance / passes).tolist(), 64, 0.01, True)
    return image


def normalize(image: sitk.Image, name: str = "image") -> sitk.Image:
    """The image at zero mean and unit standard deviation. Raises ImageError where it is constant."""
    pixels = sitk.GetArrayViewFromImage(image)
    mean, deviation = float(pixels.mean(dtype=np.float64)), float(pixels.std(dtype=np.float64))
    if not deviation > 1e-6 * max(abs(mean), 1e-30):
        raise ImageError(f"{name}: every voxel is about {mean:g} at this spacing; expected an image with structure")
    normalized: sitk.Image = (image - mean) / deviation
    return normalized
