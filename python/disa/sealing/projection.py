# SPDX-License-Identifier: Apache-2.0
"""From a network's channels to the metric's 16: less their mean, along principal axes, at lengths of 1 or less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from disa.network.gpu import CHANNELS

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """descriptor = outputs @ matrix + offset.

    Attributes:
        matrix: shape (C, 16).
        offset: shape (16,).
        kept: share of the outputs' variance that the 16 channels keep, 1 where no channel is left out.
    """

    matrix: FloatArray
    offset: FloatArray
    kept: float

    def __call__(self, outputs: npt.NDArray[np.float32]) -> FloatArray:
        """Descriptors of outputs (..., C), lengths above 1 cut to it."""
        values = outputs @ self.matrix + self.offset
        return np.asarray(values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1.0))


def fit_projection(
    outputs: Sequence[npt.NDArray[np.float32]], weights: Sequence[npt.NDArray[np.float32]]
) -> Projection | None:
    """The projection that keeps most of what the outputs vary by, the longest descriptor of length 1.

    Args:
        outputs: of each volume, shape (z, y, x, C).
        weights: of each volume's cells, shape (z, y, x).

    Returns:
        None where all outputs are the same.
    """
    rows = np.concatenate([of.reshape(-1, of.shape[-1]) for of in outputs]).astype(np.float64)
    shares = np.concatenate([of.ravel() for of in weights]).astype(np.float64)
    shares /= shares.sum()
    mean = shares @ rows
    rows -= mean
    axes, kept = (np.eye(rows.shape[1], CHANNELS), 1.0) if rows.shape[1] <= CHANNELS else principal_axes(rows, shares)
    longest = float(np.sqrt(((rows @ axes) ** 2).sum(axis=1).max()))
    if longest <= 1e-6 * max(float(np.abs(mean).max()), 1e-30):
        return None
    matrix = axes / longest
    return Projection(matrix, -mean @ matrix, kept)


def principal_axes(rows: FloatArray, shares: FloatArray) -> tuple[FloatArray, float]:
    """The 16 orthonormal axes along which rows are longest, and the share of squared length that they keep.

    Args:
        rows: shape (count, C), C above 16; nothing is centred.
        shares: of the rows, shape (count,), that add up to 1.

    Returns:
        Axes of shape (C, 16), the longest first.
    """
    values, vectors = np.linalg.eigh((rows * shares[:, None]).T @ rows)
    kept = values[-CHANNELS:].sum() / max(values.sum(), 1e-300)
    return np.ascontiguousarray(vectors[:, ::-1][:, :CHANNELS]), float(kept)
