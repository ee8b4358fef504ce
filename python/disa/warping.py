"""A moving image seen through a transform, on lattices of the fixed image."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.features import normalize
from disa.images import ImageLike, image_name, load_image, load_mask
from disa.inference import network_fingerprint, run_network, runs_on_gpu
from disa.models import find_model
from disa.resampling import MARGIN, Grid, smooth_for

FloatArray = npt.NDArray[np.float64]


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
        self._inside = sitk.Cast(loaded * 0 + 1, sitk.sitkUInt8) if mask is None else load_mask(mask, "moving_mask")
        self._model = model
        self._providers = providers
        ends = [(-0.5, n - 0.5) for n in loaded.GetSize()]
        self.corners: FloatArray = np.asarray(
            [loaded.TransformContinuousIndexToPhysicalPoint(c) for c in itertools.product(*ends)]
        )

    def features(self, grid: Grid, stride: int, transform: sitk.Transform) -> FeatureVolume:
        """Descriptors of the moving image under a transform; 0, with weights of 0, outside of it and its mask.

        Args:
            grid: voxels for the network in the fixed image's space, the margin included.
            stride: voxels between descriptors.
            transform: fixed to moving points.
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
            self._inside, descriptors.shape[2::-1], transform, sitk.sitkNearestNeighbor, first.tolist(), step, axes, 0.0
        )
        seen = sitk.GetArrayViewFromImage(inside) != 0
        return FeatureVolume(
            data=np.where(seen[..., None], descriptors, np.float32(0)),
            scale=1.0,
            weights=seen.astype(np.float32),
            origin=first,
            spacing=step,
            direction=grid.direction.ravel(),
            network=network_fingerprint(path, stride, self._providers),
        ).quantized()


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
    return moving.replaced(data=data, weights=fixed.weights, origin=fixed.origin)
