# SPDX-License-Identifier: Apache-2.0
"""ITK's metric over descriptors that a test makes up, which compares both ways; and what its value is, in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

import itk
from disa.core import FeatureVolume, _core
from helpers.itk_metric import Metric, box

Map = tuple[np.ndarray, np.ndarray]  # matrix and offset


def metric_over(fixed: FeatureVolume, moving: FeatureVolume, **settings: Any) -> Any:
    """A metric whose network gives these descriptors, whatever is asked for; not initialised."""
    given = {"fixed image": fixed, "moving image": moving}
    metric = Metric.__new__(Metric)
    metric.this = Metric._make(lambda pixels, grid, name, request, field_of_view: given[name])
    metric.SetFixedImage(box(fixed))
    metric.SetMovingImage(box(moving))
    metric.SetFixedStride(2)
    for name, value in settings.items():
        getattr(metric, f"Set{name}")(value)
    return metric


def mask_over(features: FeatureVolume, inside: np.ndarray) -> Any:
    """A mask that is not 0 in some cells, shape (z, y, x)."""
    image = itk.image_from_array(inside.astype(np.uint8))
    image.CopyInformation(box(features))
    mask = itk.ImageMaskSpatialObject[3].New()
    mask.SetImage(image)
    mask.Update()
    return mask


def map_of(transform: Any) -> Map:
    """Matrix and offset of a linear transform."""
    offset = np.asarray(transform.TransformPoint([0.0] * 3))
    ends = [np.asarray(transform.TransformPoint(end)) - offset for end in (100.0 * np.eye(3)).tolist()]
    return np.stack(ends, axis=1) / 100.0, offset


def inverse(of: Map) -> Map:
    matrix = np.linalg.inv(of[0])
    return matrix, -matrix @ of[1]


def composed(outer: Map, inner: Map) -> Map:
    return outer[0] @ inner[0], outer[0] @ inner[1] + outer[1]


def centred(features: FeatureVolume) -> np.ndarray:
    """Descriptors less their weighted mean, shape (z, y, x, 16)."""
    data = features.data.astype(float) * features.scale
    mean = np.average(data.reshape(-1, 16), axis=0, weights=features.weights.ravel())
    return np.where(data.any(axis=-1, keepdims=True), data - mean, 0.0)


def term(
    samples: FeatureVolume,
    sampled: np.ndarray,
    weights: np.ndarray,
    count: int,
    field: FeatureVolume,
    read: np.ndarray,
    to_read: Map,
) -> float:
    """Minus the weighted mean product of some samples and what they are read in.

    Args:
        samples: where the samples lie.
        sampled: their descriptors, shape (z, y, x, 16).
        weights: of each, shape (z, y, x).
        count: how many are drawn.
        field: where the cells lie that are read.
        read: their descriptors.
        to_read: from the samples' space to theirs.
    """
    cells, of_each = _core.sample_cells(weights.ravel().tolist(), count)
    z, y, x = np.unravel_index(cells, weights.shape)
    axes = np.reshape(samples.direction, (3, 3)) * samples.spacing
    points = np.stack([x, y, z], axis=1) @ axes.T + samples.origin
    moved = points @ to_read[0].T + to_read[1]
    to_index = np.linalg.inv(np.reshape(field.direction, (3, 3)) * field.spacing)
    index = (moved - field.origin) @ to_index.T + 1
    padded = np.pad(read, ((1, 1), (1, 1), (1, 1), (0, 0)))
    inside = np.all((index >= 0) & (index < np.asarray(padded.shape[2::-1]) - 1), axis=1)
    base = np.floor(index[inside]).astype(int)
    share = index[inside] - base
    blend = sum(
        np.prod(np.where(corner, share, 1 - share), axis=1)[:, None] * padded[tuple((base + corner).T[::-1])]
        for corner in np.ndindex(2, 2, 2)
    )
    products = (blend * sampled[z, y, x][inside]).sum(axis=1)
    return float(-(products * np.asarray(of_each)[inside]).sum() / np.sum(of_each))
