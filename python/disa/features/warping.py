"""A moving image seen through a transform, on lattices of the fixed image."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.errors import RegistrationError
from disa.features.extract import local_variance, normalize
from disa.features.resampling import MARGIN, Grid, box_grid, smooth_for
from disa.io.images import ImageLike, image_name, load_image, load_mask
from disa.network.models import find_model
from disa.network.session import network_fingerprint, run_network, runs_on_gpu

FloatArray = npt.NDArray[np.float64]

LEAST_LENGTH = 1e-3
"""Of a descriptor; shorter ones are noise."""


class MovingImage(Protocol):
    """What a deformable registration asks of its moving side."""

    corners: FloatArray
    inside: sitk.Image

    def features(self, grid: Grid, stride: int, transform: sitk.Transform, weighted: bool = False) -> FeatureVolume:
        """Descriptors of the moving image under a transform; `WarpedImage` says all."""


class WarpedImage:
    """A moving image, read and checked once, whose descriptors are those of M o T, for any T.

    The network sees the image as the transform shows it, so descriptors turn, scale and bend with T, which the paper
    takes for granted (phi(M o T) = phi(M) o T, section 2) and which its network only approximates.
    """

    def __init__(
        self,
        image: ImageLike,
        mask: ImageLike | None,
        model: str | os.PathLike[str],
        providers: Sequence[str] | None,
        spacing: float,
    ) -> None:
        name = image_name(image) if isinstance(image, (str, os.PathLike)) else "moving"
        loaded = load_image(image, name)
        self._normalized = normalize(smooth_for(loaded, spacing), name)
        self.inside = sitk.Cast(loaded * 0 + 1, sitk.sitkUInt8) if mask is None else load_mask(mask, "moving_mask")
        self._model = model
        self._providers = providers
        ends = [(-0.5, n - 0.5) for n in loaded.GetSize()]
        self.corners: FloatArray = np.asarray(
            [loaded.TransformContinuousIndexToPhysicalPoint(c) for c in itertools.product(*ends)]
        )

    def features(self, grid: Grid, stride: int, transform: sitk.Transform, weighted: bool = False) -> FeatureVolume:
        """Descriptors of the moving image under a transform; 0, with weights of 0, outside of it and its mask.

        Args:
            grid: voxels for the network in the fixed image's space, the margin included.
            stride: voxels between descriptors.
            transform: fixed to moving points.
            weighted: by local variance in place of 1.
        """
        origin, spacing, axes = grid.origin.tolist(), (grid.spacing,) * 3, grid.direction.ravel().tolist()
        volume = sitk.Resample(
            self._normalized, grid.size, transform, sitk.sitkLinear, origin, spacing, axes, 0.0, sitk.sitkFloat32, True
        )
        path = find_model(self._model, stride, runs_on_gpu(self._providers))
        kept = (slice(MARGIN // stride, -MARGIN // stride),) * 3
        descriptors = run_network(sitk.GetArrayViewFromImage(volume), path, stride, self._providers)[kept]
        first = grid.origin + grid.direction @ np.full(3, MARGIN * grid.spacing)
        step = (grid.spacing * stride,) * 3
        inside = sitk.Resample(
            self.inside, descriptors.shape[2::-1], transform, sitk.sitkNearestNeighbor, first.tolist(), step, axes, 0.0
        )
        seen = sitk.GetArrayViewFromImage(inside) != 0
        weights = seen.astype(np.float32)
        if weighted:
            weights *= local_variance(volume, stride=stride)[kept]
        return FeatureVolume(
            data=np.where(seen[..., None], descriptors, np.float32(0)),
            scale=1.0,
            weights=weights,
            origin=first,
            spacing=step,
            direction=grid.direction.ravel(),
            network=network_fingerprint(path, stride, self._providers),
        ).quantized()


def overlap(fixed: FeatureVolume, inside: sitk.Image, transform: sitk.Transform) -> float:
    """Share of the fixed descriptors' weight that a transform takes to where an image is not 0."""
    frame = (fixed.origin, fixed.spacing, fixed.direction, 0.0)
    seen = sitk.Resample(inside, fixed.weights.shape[::-1], transform, sitk.sitkNearestNeighbor, *frame)
    return float(np.average(sitk.GetArrayViewFromImage(seen) != 0, weights=fixed.weights))


def smooth(features: FeatureVolume, sigma: float) -> FeatureVolume:
    """Warped descriptors under the metric's kernel of that width, mm; still 0 where their weights are."""
    axes = np.asarray(features.direction).reshape(3, 3)
    origin = np.asarray(features.origin) - axes @ features.spacing
    around = _core.Frame([n + 2 for n in features.weights.shape[::-1]], origin, features.spacing, features.direction)
    widened = _core.widen(features, around, sigma)
    data = np.where(features.weights[..., None] > 0, widened.data, widened.data.dtype.type(0))
    return widened.replaced(data=data)


def at_cells_of(fixed: FeatureVolume, moving: FeatureVolume) -> FeatureVolume:
    """Moving descriptors at the cells of fixed ones on the same lattice, with the fixed weights; 0 beyond them."""
    axes = np.asarray(fixed.direction).reshape(3, 3)
    shift = (np.asarray(moving.origin) - fixed.origin) @ axes / fixed.spacing
    first = np.rint(shift).astype(int)[::-1]
    data = np.zeros(fixed.data.shape, moving.data.dtype)
    into = tuple(slice(max(f, 0), max(f + n, 0)) for f, n in zip(first, moving.weights.shape, strict=True))
    part = data[into]
    out = tuple(slice(max(-f, 0), max(-f, 0) + n) for f, n in zip(first, part.shape, strict=False))
    part[...] = moving.data[out]
    return FeatureVolume(
        data=data,
        scale=moving.scale,
        weights=fixed.weights,
        origin=fixed.origin,
        spacing=fixed.spacing,
        direction=fixed.direction,
        network=moving.network,
    )


def evened(features: FeatureVolume) -> FeatureVolume:
    """At unit length and with the roots of their weights, as the search compares them.

    A field is free to draw samples to wherever descriptors are long; a rigid transform is not.
    """
    lengths = np.linalg.norm(features.data.astype(np.float32), axis=-1, keepdims=True)
    unit = features.data / np.maximum(lengths * features.scale, LEAST_LENGTH)
    return features.replaced(data=unit.astype(np.float32), weights=np.sqrt(features.weights)).quantized()


def rescaled(grid: Grid, ratio: float) -> Grid:
    """A grid over the same box without its margin, in voxels that are so many times as large."""
    ends = itertools.product(*[(MARGIN, n - 1 - MARGIN) for n in grid.size])
    corners = grid.origin + np.asarray(list(ends)) * grid.spacing @ grid.direction.T
    return box_grid(corners, ratio * grid.spacing, grid.direction)


def on_lattice(features: FeatureVolume, grid: Grid, stride: int) -> FeatureVolume:
    """Descriptors blended trilinearly at every stride-th voxel of a grid without its margin; 0 beyond them."""
    image = sitk.GetImageFromArray(features.data.astype(np.float32), isVector=True)
    image.SetOrigin(features.origin)
    image.SetSpacing(features.spacing)
    image.SetDirection(features.direction)
    origin = grid.origin + grid.direction @ np.full(3, MARGIN * grid.spacing)
    spacing, direction = (stride * grid.spacing,) * 3, grid.direction.ravel().tolist()
    size = [(n - 1 - 2 * MARGIN) // stride + 1 for n in grid.size]
    blended = sitk.Resample(
        image, size, sitk.Transform(3, sitk.sitkIdentity), sitk.sitkLinear, origin.tolist(), spacing, direction
    )
    data: npt.NDArray[np.float32] = sitk.GetArrayFromImage(blended)
    seen: npt.NDArray[np.bool_] = np.any(data, axis=-1)
    return FeatureVolume(
        data=data,
        scale=features.scale,
        weights=seen.astype(np.float32),
        origin=origin,
        spacing=spacing,
        direction=direction,
        network=features.network,
    ).quantized()


def weighted_by(features: FeatureVolume, image: sitk.Image) -> FeatureVolume:
    """Fixed descriptors whose weights are multiplied by an image; it is 0 outside.

    Raises:
        RegistrationError: it is negative somewhere or leaves no weight.
    """
    if float(sitk.GetArrayViewFromImage(image).min()) < 0:
        raise RegistrationError("fixed_weights: expected an image of 0 or more")
    frame = (features.origin, features.spacing, features.direction)
    size = features.weights.shape[::-1]
    factors = sitk.Resample(image, size, sitk.Transform(), sitk.sitkLinear, *frame, 0.0, sitk.sitkFloat32)
    weights = features.weights * sitk.GetArrayViewFromImage(factors)
    if not weights.any():
        raise RegistrationError(
            "fixed_weights: leaves no fixed descriptor of any weight; check that it shares the fixed image's space"
        )
    return features.replaced(weights=weights)


def thinned(features: FeatureVolume, step: int) -> FeatureVolume:
    """Every step-th cell along each axis, from the first."""
    every = (slice(None, None, step),) * 3
    return FeatureVolume(
        data=np.ascontiguousarray(features.data[every]),
        scale=features.scale,
        weights=np.ascontiguousarray(features.weights[every]),
        origin=features.origin,
        spacing=tuple(step * s for s in features.spacing),
        direction=features.direction,
        network=features.network,
    )
