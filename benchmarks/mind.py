"""MIND-SSC (Heinrich et al., MICCAI 2013) for the search of `disa.deformable_register`, in SciPy."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import SimpleITK as sitk
from disa.features.resampling import MARGIN, Grid, covering_grid, smooth_for
from scipy.ndimage import uniform_filter

from disa.core import FeatureVolume
from disa.features.extract import normalize

Array = np.ndarray


def mind_ssc(volume: Array, radius: int = 2, distance: int = 2) -> Array:
    """Self-similarity context at every voxel of a volume (z, y, x), (z, y, x, 12); as disa.training.validate.mind."""
    padded = np.pad(volume, distance, mode="edge")
    faces = [tuple(sign * distance * (axis == a) for a in range(3)) for axis in range(3) for sign in (-1, 1)]

    def shifted(by: tuple[int, ...]) -> Array:
        return padded[tuple(slice(distance + b, distance + b + n) for b, n in zip(by, volume.shape, strict=True))]

    distances = np.stack(
        [
            uniform_filter((shifted(a) - shifted(b)) ** 2, 2 * radius + 1, mode="nearest")
            for a, b in combinations(faces, 2)
            if any(p + q for p, q in zip(a, b, strict=True))
        ],
        axis=-1,
    )
    distances -= distances.min(axis=-1, keepdims=True)
    variance = distances.mean(axis=-1, keepdims=True)
    mean = float(variance.mean())
    return np.exp(-distances / variance.clip(1e-3 * mean, 1e3 * mean))


def averaged(values: Array, side: int) -> Array:
    """Means over cubes of an even side about every side-th voxel, voxels on their faces by half."""
    shares = np.ones(side + 1) / side
    shares[[0, -1]] /= 2
    for axis in range(3):
        n = (values.shape[axis] - 1) // side + 1
        padded = np.pad(values, [(side // 2 * (a == axis),) * 2 for a in range(values.ndim)], mode="edge")
        values = sum(
            share * np.take(padded, range(k, k + (n - 1) * side + 1, side), axis) for k, share in enumerate(shares)
        )
    return values


class MindImage:
    """An image whose descriptors are MIND-SSC, for the stages of `disa.deformable_register` (disa.warping.WarpedImage).

    Each is the mean over the voxels about it, as far as the next one's, and has a weight of 1 inside the image.
    """

    def __init__(self, image: sitk.Image, spacing: float) -> None:
        self._image = normalize(smooth_for(image, spacing))
        self.inside = sitk.Cast(image * 0 + 1, sitk.sitkUInt8)
        self.grid = covering_grid(image, spacing)
        ends = [(-0.5, n - 0.5) for n in image.GetSize()]
        self.corners = np.asarray([image.TransformContinuousIndexToPhysicalPoint(c) for c in product(*ends)])

    def own_features(self, stride: int) -> FeatureVolume:
        return self.features(self.grid, stride, sitk.Transform(3, sitk.sitkIdentity))

    def features(self, grid: Grid, stride: int, transform: sitk.Transform, weighted: bool = False) -> FeatureVolume:
        """At every stride-th voxel of a grid without its margin, of the image under a transform."""
        axes = grid.direction.ravel().tolist()
        frame = (grid.origin.tolist(), (grid.spacing,) * 3, axes, 0.0)
        seen = sitk.Resample(self._image, grid.size, transform, sitk.sitkLinear, *frame, sitk.sitkFloat32, True)
        inside = sitk.Resample(self.inside, grid.size, transform, sitk.sitkNearestNeighbor, *frame)
        kept = (slice(MARGIN // stride, -MARGIN // stride),) * 3
        weights = (sitk.GetArrayFromImage(inside)[::stride, ::stride, ::stride][kept] > 0).astype(np.float32)
        channels = np.zeros((*weights.shape, 16), np.float32)
        channels[..., :12] = averaged(mind_ssc(sitk.GetArrayFromImage(seen)), stride)[kept] * weights[..., None]
        return FeatureVolume(
            data=channels,
            scale=1.0,
            weights=weights,
            origin=grid.origin + grid.direction @ np.full(3, MARGIN * grid.spacing),
            spacing=(stride * grid.spacing,) * 3,
            direction=grid.direction.ravel(),
        ).quantized()
