"""MIND-SSC (Heinrich et al., MICCAI 2013) for the search of `disa.deformable_register`, in SciPy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.ndimage import uniform_filter

from disa.core import FeatureVolume

Array = np.ndarray


def mind_ssc(volume: Array, radius: int = 2, distance: int = 2) -> Array:
    """Self-similarity context at every voxel of a volume (z, y, x), as disa.training.mind: shape (z, y, x, 12)."""
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


def as_features(mind: Array, seen: Array, like: dict[str, object]) -> FeatureVolume:
    """Averaged descriptors, shape (z, y, x, 12), and weights of 1 where the image is seen; 0 elsewhere.

    The search compares descriptors at unit length, whose inner product falls as their squared difference grows.
    """
    channels = np.zeros((*mind.shape[:3], 16), np.float32)
    channels[..., :12] = np.where(seen[..., None], mind, 0.0)
    return FeatureVolume(data=channels, scale=1.0, weights=seen.astype(np.float32), **like)  # type: ignore[arg-type]
