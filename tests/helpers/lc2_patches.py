# SPDX-License-Identifier: Apache-2.0
"""Smooth volumes, places in them, and LC² of two patches in plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disa.training.targets.lc2 import MARGIN

Array = NDArray[np.float64]
SIZE = 22


def plain_gradient(volume: Array) -> Array:
    inner = slice(1, -1)
    dz = volume[2:, inner, inner] - volume[:-2, inner, inner]
    dy = volume[inner, 2:, inner] - volume[inner, :-2, inner]
    dx = volume[inner, inner, 2:] - volume[inner, inner, :-2]
    gradient = np.zeros_like(volume)
    gradient[inner, inner, inner] = np.sqrt(dz**2 + dy**2 + dx**2)
    return gradient


def cube(volume: Array, position: Array, radius: int) -> Array:
    return volume[tuple(slice(p - radius, p + radius + 1) for p in position)].ravel()


def plain_lc2(source: Array, at: Array, target: Array, to: Array) -> float:
    gradient, values = plain_gradient(source), []
    for radius in (3, 5, 7):
        i, g = cube(source, at, radius), cube(gradient, at, radius)
        b = cube(target, to, radius)
        a = np.stack([i, g, np.ones_like(i)], axis=1)
        normal = a.T @ a / len(b) + 1e-3 * np.eye(3)
        x = np.linalg.solve(normal, a.T @ b / len(b))
        residual = np.mean((b - a @ x) ** 2) + 1e-3 * x @ x
        values.append(np.clip((b.var() - residual) / max(b.var(), 1e-2), 0, 1))
    return float(np.mean(values))


def smooth_volume(seed: int) -> Array:
    """Low frequencies, so that patches are alike now and then."""
    random = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*[np.arange(SIZE)] * 3, indexing="ij")
    waves = random.uniform(0.1, 0.5, (6, 3))
    phase, height = random.uniform(0, 6, 6), random.normal(0, 1, 6)
    return sum(h * np.sin(w[0] * z + w[1] * y + w[2] * x + p) for w, p, h in zip(waves, phase, height, strict=True))


def positions(seed: int, count: int) -> Array:
    return np.random.default_rng(seed).integers(MARGIN, SIZE - MARGIN, (count, 3))
