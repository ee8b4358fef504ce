"""From an image to its descriptors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.checking import is_finite
from disa.core import FeatureVolume, _core
from disa.errors import ImageError
from disa.features.resampling import MARGIN, Grid, covering_grid, resample, smooth_for
from disa.io.images import ImageLike, image_from_array, image_name, load_image
from disa.network.models import find_model
from disa.network.session import network_fingerprint, run_network, runs_on_gpu


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

    The image is resampled without aliasing to `spacing` mm, normalised to zero mean and unit deviation and run
    through the network; each descriptor is then written as 16 int8 with one scale for the whole volume. Descriptors
    and weights outside the image are 0.

    Args:
        image: SimpleITK image, ITK image, or path of an image file or DICOM folder; 3-D, one real number a voxel.
        model: name of a shipped model or path of an .onnx file.
        spacing: mm between the voxels that the network sees.
        stride: voxels between descriptors, so they lie `spacing * stride` mm apart.
        smoothing: standard deviation s in mm of the wide part of the kernel 0.15 G(s / 8) + 0.85 G(s) that the
            descriptors are convolved with, G a Gaussian; 0: none. With smooth moving descriptors a registration
            finds its way from further off; the metric's own default is 12 times the spacing.
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
    source = load_image(image)
    return _extract(source, image_name(image), model, spacing, stride, smoothing, providers, direction, quantize)


def extract_from_array(
    pixels: npt.NDArray[Any],
    origin: Sequence[float],
    image_spacing: Sequence[float],
    image_direction: Sequence[float],
    *,
    name: str,
    model: str,
    feature_spacing: float,
    stride: int,
    providers: Sequence[str],
    feature_direction: Sequence[float] | None,
) -> FeatureVolume:
    """The same for pixels of shape (z, y, x) with their frame (x, y, z; mm); what the C++ metric calls."""
    image = image_from_array(pixels, origin, image_spacing, image_direction, name)
    return _extract(image, name, model, feature_spacing, stride, 0.0, providers, feature_direction, True)


def local_variance(volume: sitk.Image, radius: int = 3, stride: int = 1) -> npt.NDArray[np.float32]:
    """Variance of the cubic neighbourhood of every stride-th voxel, the weight w(p) of the LC² literature.

    Args:
        volume: scalar float image of about zero mean.
        radius: half the cube's side in voxels; the cube has (2 radius + 1)^3 voxels, fewer at the border.
        stride: voxels from one cube's centre to the next, the first one's is the first voxel.

    Returns:
        Array of shape (z, y, x) in squared intensity units, clamped at 0.

    Source: DISA paper, Eq. 1 and section 3 (weight by local patch variance).
    """
    values: npt.NDArray[np.float32] = sitk.GetArrayViewFromImage(volume)
    mean, mean_square = (_box_mean(of, radius, stride) for of in (values, values * values))
    return (mean_square - mean * mean).clip(min=0.0)


def _box_mean(values: npt.NDArray[np.float32], radius: int, stride: int) -> npt.NDArray[np.float32]:
    """Means over the cube about every stride-th voxel, an axis at a time."""
    for axis in (2, 1, 0):
        count = values.shape[axis]
        padded = np.moveaxis(np.pad(values, [(radius * (axis == a),) * 2 for a in range(3)]), axis, 0)
        sums = np.copy(padded[:count:stride])
        for k in range(1, 2 * radius + 1):
            sums += padded[k : k + count : stride]
        centres = np.arange(0, count, stride)
        voxels = np.minimum(centres + radius, count - 1) - np.maximum(centres - radius, 0) + 1
        values = np.moveaxis(sums / voxels.astype(np.float32)[:, None, None], 0, axis)
    return values


def _extract(
    image: sitk.Image,
    name: str,
    model: str | os.PathLike[str],
    spacing: float,
    stride: int,
    smoothing: float,
    providers: Sequence[str] | None,
    direction: npt.ArrayLike | None,
    quantize: bool,
) -> FeatureVolume:
    check_spacing(spacing)
    if not (is_finite(smoothing) and smoothing >= 0):
        raise ImageError(f"smoothing: expected 0 mm or more, got {smoothing}")
    axes = None if direction is None else np.asarray(direction, dtype=float).reshape(3, 3)
    grid = covering_grid(image, spacing, axes, name)
    path = find_model(model, stride, runs_on_gpu(providers))
    features = describe(normalize(smooth_for(image, spacing), name), image, grid, path, stride, providers)
    check_any_inside(features, name)
    features = features.quantized() if quantize else features
    return _core.widen(features, frame_of(image), smoothing) if smoothing > 0 else features


def check_spacing(spacing: float, name: str = "spacing") -> None:
    """Raises ImageError unless a spacing is a number of mm above 0."""
    if not (is_finite(spacing) and spacing > 0):
        raise ImageError(f"{name}: expected mm above 0, got {spacing}")


def check_any_inside(features: FeatureVolume, name: str) -> None:
    """Raises ImageError where an image is so thin that it lies between its descriptors."""
    if not features.weights.any():
        raise ImageError(
            f"{name}: lies between its descriptors, which are {features.spacing[0]:g} mm apart; expected a thicker "
            "image, or a smaller spacing or stride"
        )


def frame_of(image: sitk.Image) -> _core.Frame:
    """Where an image lies."""
    return _core.Frame(image.GetSize(), image.GetOrigin(), image.GetSpacing(), image.GetDirection())


def describe(
    normalized: sitk.Image,
    image: sitk.Image,
    grid: Grid,
    path: Path,
    stride: int,
    providers: Sequence[str] | None = None,
    weighted: bool = True,
) -> FeatureVolume:
    """Float descriptors on a grid.

    Args:
        normalized: the image as the network is to see it, smoothed for the grid's spacing.
        image: where it counts as inside.
        grid: voxels for the network, the margin included.
        path: the .onnx file, of that stride.
        stride: voxels between descriptors.
        providers: ONNX Runtime execution providers.
        weighted: False gives weights of 1 inside the image in place of the local variance.
    """
    volume = resample(normalized, grid)
    kept = (slice(MARGIN // stride, -MARGIN // stride),) * 3
    descriptors = run_network(sitk.GetArrayViewFromImage(volume), path, stride, providers)[kept]
    frame = {
        "origin": grid.origin + grid.direction @ np.full(3, MARGIN * grid.spacing),
        "spacing": (grid.spacing * stride,) * 3,
        "direction": grid.direction.ravel(),
    }
    seen = _core.cells_inside(_core.Frame(descriptors.shape[2::-1], **frame), frame_of(image))
    weights = seen.astype(np.float32)
    if weighted:
        weights *= local_variance(volume, stride=stride)[kept]
    return FeatureVolume(
        data=np.where(seen[..., None], descriptors, np.float32(0)),
        scale=1.0,
        weights=weights,
        **frame,
        network=network_fingerprint(path, stride, providers),
    )


def normalize(image: sitk.Image, name: str = "image") -> sitk.Image:
    """The image at zero mean and unit standard deviation. Raises ImageError where it is constant."""
    pixels = sitk.GetArrayViewFromImage(image)
    mean, deviation = float(pixels.mean(dtype=np.float64)), float(pixels.std(dtype=np.float64))
    if not deviation > 1e-6 * max(abs(mean), 1e-30):
        raise ImageError(f"{name}: every voxel is about {mean:g} at this spacing; expected an image with structure")
    normalized: sitk.Image = (image - mean) / deviation
    return normalized
