# SPDX-License-Identifier: Apache-2.0
"""MIND-SSC (Heinrich et al., MICCAI 2013), in SciPy, in the place of the network: all else is the same."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.ndimage import uniform_filter

from disa.network.strides import averaged
from disa.network.traits import Traits

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


@dataclass(frozen=True)
class MindSSC:
    """A describer of images (`disa.network.describer.Describer`): radius and distance of 2 voxels, 12 channels of 16.

    The mean over the cubes between descriptors stands for each, as in the paper's Table 2. All weigh alike: weighted by
    local variance, as DISA's are, they ended further off on each of three pairs of the training data.

    Attributes:
        centred: less their own mean and at unit length, so that an inner product is 1 - |a - b|^2 / 2.
    """

    centred: bool

    def traits(self, stride: int) -> Traits:
        return Traits(is_weighted=False)

    def identity(self, stride: int) -> Hashable:
        return "mind-ssc", self.centred

    def fingerprint(self, stride: int) -> str | None:
        return None

    def describe(self, volume: Array, stride: int) -> Array:
        mind = mind_ssc(volume)
        mind = averaged(mind, stride) if stride > 1 else mind
        if self.centred:
            mind -= mind.mean(axis=-1, keepdims=True)
            mind /= np.linalg.norm(mind, axis=-1, keepdims=True).clip(1e-6)
        channels = np.zeros((*mind.shape[:3], 16), np.float32)
        channels[..., :12] = mind
        return channels
