# SPDX-License-Identifier: Apache-2.0
"""The compiled search for poses."""

from __future__ import annotations

from collections.abc import Callable

from disa.core import FeatureVolume, _core
from helpers.images import rotation


def pair_of(make_features: Callable[..., FeatureVolume]) -> tuple[FeatureVolume, FeatureVolume]:
    fixed = make_features((10, 11, 12), seed=1, direction=rotation(10, 5, -8))
    return fixed, make_features((12, 13, 14), seed=2)


def search_of(fixed: FeatureVolume, kind: str, pressure: _core.ProbePressure | None = None) -> _core.PoseSearch:
    centre, radius = _core.extent_of(fixed)
    return _core.PoseSearch(kind, rotation(4, -9, 12).ravel(), (3.0, 8.0, -5.0), centre, radius, pressure)


def terms_of(fixed: FeatureVolume, moving: FeatureVolume, *, both: bool = True) -> list[_core.Term]:
    """Each image's descriptors read in the other's; or the fixed ones in the moving ones alone."""
    forward = _core.Term(fixed, moving)
    return [forward, _core.Term(moving, fixed, 0.8)] if both else [forward]
