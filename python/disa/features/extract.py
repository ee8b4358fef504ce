"""`disa.extract_features`: the descriptors of an image, by themselves."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy.typing as npt

from disa.checking import check_spacing, is_finite
from disa.core import FeatureVolume
from disa.errors import ImageError
from disa.features.network_grid import covering_grid
from disa.features.side import ImageSide, check_any_inside
from disa.features.volumes import smooth
from disa.io.images import ImageLike, image_name, load_image
from disa.network.describer import Network


def extract_features(
    image: ImageLike,
    *,
    model: str | os.PathLike[str] = "disa-lc2",
    spacing: float = 2.0,
    stride: int = 4,
    smoothing: float = 0.0,
    providers: Sequence[str] | None = None,
    direction: npt.ArrayLike | None = None,
    quantize: bool = True,
) -> FeatureVolume:
    """Descriptors of an image, by one run of the network.

    The image is resampled without aliasing to voxels of `spacing` mm, normalised to zero mean and unit deviation and
    run through the network; each descriptor is then written as 16 int8 with one scale for the whole volume.
    Descriptors and weights outside the image are 0.

    Args:
        image: SimpleITK image, ITK image, or path of an image file or DICOM folder; 3-D, one real number a voxel.
        model: name of a shipped model or path of an .onnx file.
        spacing: voxel spacing, mm between the voxels that the network sees.
        stride: voxels between descriptors. The descriptor spacing, which is the result's `spacing`, is
            `spacing * stride` mm.
        smoothing: standard deviation s in mm of the wide part of the kernel 0.15 G(s / 8) + 0.85 G(s) that the
            descriptors are convolved with, G a Gaussian; 0: none. With smooth moving descriptors a registration
            finds its way from further off; the metric's own default is 12 times the voxel spacing.
        providers: ONNX Runtime execution providers, best first. None: CUDA, OpenVINO or the CPU, as is available.
        direction: (3, 3) orthonormal axes of the descriptor grid, as columns; the image's own if None.
        quantize: False leaves float32 descriptors with scale 1, the reference for the int8 ones.

    Returns:
        The descriptors with their weights and physical frame.

    Raises:
        ImageError: the image cannot be used; the message names it and says what was expected.
        ModelError: the model or ONNX Runtime is missing or does not fit.

    Source: DISA paper, sections 2 and 3.
    """
    side = ImageSide(load_image(image), image_name(image), Network(model, providers))
    check_spacing(spacing)
    if not (is_finite(smoothing) and smoothing >= 0):
        raise ImageError(f"smoothing: expected 0 mm or more, got {smoothing}")
    features = side.describe(covering_grid(side.grid, spacing, direction, side.name), stride)
    check_any_inside(features, side.name)
    features = features.quantized() if quantize else features
    return smooth(features, smoothing, side.grid) if smoothing > 0 else features
