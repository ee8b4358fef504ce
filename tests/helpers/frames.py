# SPDX-License-Identifier: Apache-2.0
"""Places in a feature volume."""

from __future__ import annotations

import numpy as np

import disa


def place_of(features: disa.FeatureVolume, index: tuple[float, float, float]) -> list[float]:
    """The physical point (mm) of a continuous cell index x, y, z."""
    axes = np.asarray(features.direction).reshape(3, 3) * features.spacing
    return (axes @ index + features.origin).tolist()
