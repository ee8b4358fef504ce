# SPDX-License-Identifier: Apache-2.0
"""The smoothing of descriptors in plain numpy."""

from __future__ import annotations

import numpy as np

from disa.core import FeatureVolume


def gaussian_matrix(count: int, sigma: float) -> np.ndarray:
    """What one axis of `count` cells is multiplied with; beyond the ends lie zeros."""
    offset = np.arange(count)[:, None] - np.arange(count)
    wide = np.arange(-np.ceil(4 * sigma), np.ceil(4 * sigma) + 1)
    kernel = np.exp(-0.5 * (offset / sigma) ** 2) * (np.abs(offset) <= wide[-1])
    return kernel / np.exp(-0.5 * (wide / sigma) ** 2).sum()


def widened(descriptors: np.ndarray, sigmas: tuple[float, float, float]) -> np.ndarray:
    """Descriptors (z, y, x, channels) under the kernel, sigmas in cells."""
    result = np.zeros_like(descriptors)
    for share, ratio in ((0.15, 1 / 8), (0.85, 1.0)):
        z, y, x = (gaussian_matrix(n, ratio * s) for n, s in zip(descriptors.shape, sigmas, strict=False))
        result += share * np.einsum("zZ,yY,xX,ZYXc->zyxc", z, y, x, descriptors, optimize=True)
    return result


def features_of(descriptors: np.ndarray, spacing: tuple[float, float, float]) -> FeatureVolume:
    weights = np.ones(descriptors.shape[:3], np.float32)
    return FeatureVolume(
        data=descriptors, scale=1.0, weights=weights, origin=(0, 0, 0), spacing=spacing, direction=np.eye(3).ravel()
    )
