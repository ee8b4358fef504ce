# SPDX-License-Identifier: Apache-2.0
"""Descriptors of a known pose, and how far from it a transform is."""

from __future__ import annotations

import itertools

import numpy as np
import SimpleITK as sitk

import disa
from helpers.images import rotation

CORNERS = 30.0 * np.array(list(itertools.product((-1, 1), repeat=3)))
FAR = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.45, -0.3, 0.4, (42.0, -51.0, 38.0))


def waves(count: int, spacing: float, transform: sitk.Transform | None = None, fade: bool = True) -> disa.FeatureVolume:
    """Descriptors known everywhere, waves of length 1 in a ball of 45 mm, as a transform's fixed side sees them.

    Outside of the ball weights fade, and so do descriptors, which draws deformations to its middle, unless told not to.
    """
    first = -0.5 * (count - 1) * spacing
    axis = first + spacing * np.arange(count)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)[..., ::-1]
    if transform is not None:
        moved = [transform.TransformPoint(p) for p in points.reshape(-1, 3).tolist()]
        points = np.asarray(moved).reshape(points.shape)
    rng = np.random.default_rng(0)
    phases = points @ rng.uniform(-0.2, 0.2, (3, 16)) + rng.uniform(0, 6, 16)
    values = np.sin(phases) / np.linalg.norm(np.sin(phases), axis=-1, keepdims=True)
    lengths = 1 / (1 + np.exp((np.linalg.norm(points, axis=-1) - 45) / 2))
    return disa.FeatureVolume(
        data=(values * lengths[..., None] if fade else values).astype(np.float32),
        scale=1.0,
        weights=(lengths**2).astype(np.float32),
        origin=(first,) * 3,
        spacing=(spacing,) * 3,
        direction=np.eye(3).ravel(),
    ).quantized()


def distance(one: sitk.Transform, other: sitk.Transform, points: np.ndarray) -> float:
    """Mean in mm between where two transforms take points."""
    pairs = [(one.TransformPoint(p), other.TransformPoint(p)) for p in points.tolist()]
    return float(np.mean([np.linalg.norm(np.subtract(a, b)) for a, b in pairs]))


def known_pose(kind: str) -> sitk.Transform:
    if kind == "translation":
        return sitk.TranslationTransform(3, FAR.GetTranslation())
    if kind == "rigid":
        return FAR
    if kind == "similarity":
        return sitk.Similarity3DTransform(1.12, (0.2, -0.1, 0.15), 0.0, FAR.GetTranslation(), (0.0, 0.0, 0.0))
    matrix = rotation(15, -12, 20) @ (np.eye(3) + 0.06 * np.array([[1, 1, 0], [0, -1, 1], [1, 0, 1]]))
    return sitk.AffineTransform(matrix.ravel().tolist(), FAR.GetTranslation())
