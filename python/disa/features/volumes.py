# SPDX-License-Identifier: Apache-2.0
"""What is done to descriptors once they are there: thinned, cut, smoothed, brought onto another grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of

FloatArray = npt.NDArray[np.float64]

LEAST_LENGTH = 1e-3
"""Of a descriptor; shorter ones are noise."""


def cut(features: FeatureVolume, inside: npt.NDArray[np.bool_]) -> FeatureVolume:
    """Descriptors and weights of 0 where an array of shape (z, y, x) is False."""
    data = np.where(inside[..., None], features.data, features.data.dtype.type(0))
    return features.replaced(data=data, weights=np.where(inside, features.weights, np.float32(0)))


def smooth(features: FeatureVolume, sigma: float, image: Grid | None = None) -> FeatureVolume:
    """Descriptors under the metric's kernel.

    Args:
        features: int8 or float.
        sigma: width of the kernel's wide part, mm.
        image: beyond which lie zeros, before and after; None: beyond the cells.
    """
    return _core.widen(features, Grid.of(features).padded(1) if image is None else image, sigma)


def smooth_within(features: FeatureVolume, sigma: float) -> FeatureVolume:
    """The same, and still 0 where weights are."""
    return cut(smooth(features, sigma), features.weights > 0)


def well_inside(
    samples: FeatureVolume, field: FeatureVolume, matrix: FloatArray, offset: FloatArray, inset: int
) -> FeatureVolume:
    """Samples with weights of 0 where an affine map takes them out of another image, or near its border.

    Args:
        samples: weighted descriptors of one image.
        field: descriptors of the other one, 0 outside of it.
        matrix, offset: (3, 3) and (3,), from the samples' space to the field's.
        inset: cells of the field within which a border is near.
    """
    deep = sitk.GetImageFromArray(np.pad(field.data.any(axis=-1).astype(np.uint8), 1))
    if inset > 0:
        deep = sitk.BinaryErode(deep, [inset] * 3, sitk.sitkBox, 0.0, 1.0, False)
    is_deep = pixels_of(deep) > 0
    z, y, x = np.nonzero(samples.weights)
    points = Grid.of(samples).points(np.stack([x, y, z], axis=1)) @ matrix.T + offset
    index = np.rint(Grid.of(field).indices(points)).astype(int).clip(-1, np.asarray(is_deep.shape)[::-1] - 2) + 1
    kept = is_deep[index[:, 2], index[:, 1], index[:, 0]]
    weights = np.zeros_like(samples.weights)
    weights[z[kept], y[kept], x[kept]] = samples.weights[z[kept], y[kept], x[kept]]
    return samples.replaced(weights=weights)


def thinned(features: FeatureVolume, step: int) -> FeatureVolume:
    """Every step-th cell along each axis, from the first."""
    every = (slice(None, None, step),) * 3
    return FeatureVolume(
        data=np.ascontiguousarray(features.data[every]),
        scale=features.scale,
        weights=np.ascontiguousarray(features.weights[every]),
        **Grid.of(features).every(step).frame,
        network=features.network,
    )


def evened(features: FeatureVolume) -> FeatureVolume:
    """At unit length, as the search for displacements compares them.

    A field is free to draw samples to wherever descriptors are long; a rigid transform is not.
    """
    lengths = np.linalg.norm(features.data.astype(np.float32), axis=-1, keepdims=True)
    unit = features.data / np.maximum(lengths * features.scale, LEAST_LENGTH)
    return features.replaced(data=unit.astype(np.float32)).quantized()


def at_cells_of(fixed: FeatureVolume, moving: FeatureVolume) -> FeatureVolume:
    """Moving descriptors at the cells of fixed ones on the same lattice, with the fixed weights; 0 beyond them."""
    cells = Grid.of(fixed)
    first = np.rint(cells.indices(np.asarray(moving.origin))).astype(int)[::-1]
    data = np.zeros(fixed.data.shape, moving.data.dtype)
    into = tuple(slice(max(f, 0), max(f + n, 0)) for f, n in zip(first, moving.weights.shape, strict=True))
    part = data[into]
    out = tuple(slice(max(-f, 0), max(-f, 0) + n) for f, n in zip(first, part.shape, strict=False))
    part[...] = moving.data[out]
    return FeatureVolume(data=data, scale=moving.scale, weights=fixed.weights, **cells.frame, network=moving.network)


def blended_at(features: FeatureVolume, cells: Grid) -> FeatureVolume:
    """Descriptors blended trilinearly at other cells; 0, with weights of 0, beyond them."""
    image = Grid.of(features).image_of(features.data.astype(np.float32), is_vector=True)
    data: npt.NDArray[np.float32] = sitk.GetArrayFromImage(cells.linear(image))
    return FeatureVolume(
        data=data,
        scale=features.scale,
        weights=np.any(data, axis=-1).astype(np.float32),
        **cells.frame,
        network=features.network,
    ).quantized()
