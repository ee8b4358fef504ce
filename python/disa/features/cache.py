"""Descriptors of images that have been seen before, so that the network runs once per image."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from disa.core import FeatureVolume, _core
from disa.features.extract import extract_from_array
from disa.geometry.linear import angle_between

CAPACITY = 8
"""Volumes that are kept, about 20 bytes a descriptor each."""


class _Entry(NamedTuple):
    key: tuple[object, ...]  # image and request, axes aside
    direction: tuple[float, ...] | None
    features: FeatureVolume


_extracted: deque[_Entry] = deque(maxlen=CAPACITY)


class CachedExtractor:
    """What the metric calls for descriptors: `disa.features.extract.extract_from_array`, with a memory.

    Images are told apart by their pixels and frames, so a copy shares the descriptors and a changed image does not.
    Descriptors of the same axes are shared by all extractors of the process. Those that this one has given before serve
    also for axes turned by no more than the reorientation angle, as they do within a registration: the nearest ones.
    """

    def __init__(self, reorientation_angle: float, weighting: bool) -> None:
        """
        Args:
            reorientation_angle: degrees that axes may be turned by; 0: by any angle.
            weighting: False gives each fixed descriptor inside the image the same weight.
        """
        self._angle = reorientation_angle
        self._weighting = weighting
        self._given: deque[_Entry] = deque(maxlen=CAPACITY)

    def __call__(
        self,
        pixels: npt.NDArray[Any],
        origin: Sequence[float],
        image_spacing: Sequence[float],
        image_direction: Sequence[float],
        *,
        name: str,
        model: str,
        feature_spacing: float,
        stride: int,
        providers: Sequence[str],
        feature_direction: Sequence[float] | None,
    ) -> FeatureVolume:
        """Descriptors for pixels of shape (z, y, x) with their frame (x, y, z; mm)."""
        frame = (tuple(origin), tuple(image_spacing), tuple(image_direction))
        content = hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()
        key = (content, pixels.shape, frame, model, feature_spacing, stride, tuple(providers))
        direction = None if feature_direction is None else tuple(feature_direction)
        entry = self._find_given(key, direction) or _find_exact(key, direction)
        if entry is None:
            features = extract_from_array(
                pixels,
                origin,
                image_spacing,
                image_direction,
                name=name,
                model=model,
                feature_spacing=feature_spacing,
                stride=stride,
                providers=providers,
                feature_direction=feature_direction,
            )
            entry = _Entry(key, direction, features)
            _extracted.append(entry)
        if entry not in self._given:
            self._given.append(entry)
        if direction is None and not self._weighting:
            return _equally_weighted(entry.features, _core.Frame(pixels.shape[::-1], *frame))
        return entry.features

    def _find_given(self, key: tuple[object, ...], direction: tuple[float, ...] | None) -> _Entry | None:
        entries = [e for e in self._given if e.key == key and (e.direction is None) == (direction is None)]
        if not entries or direction is None:
            return entries[0] if entries else None
        axes = np.reshape(direction, (3, 3))
        angles = [angle_between(np.reshape(e.direction, (3, 3)), axes) for e in entries if e.direction is not None]
        nearest = int(np.argmin(angles))
        return entries[nearest] if self._angle == 0 or angles[nearest] <= self._angle else None


def clear() -> None:
    """Forget the descriptors that extractors share."""
    _extracted.clear()


def _find_exact(key: tuple[object, ...], direction: tuple[float, ...] | None) -> _Entry | None:
    return next((e for e in _extracted if e.key == key and e.direction == direction), None)


def _equally_weighted(features: FeatureVolume, image: _core.Frame) -> FeatureVolume:
    frame = {"origin": features.origin, "spacing": features.spacing, "direction": features.direction}
    inside = _core.cells_inside(_core.Frame(features.weights.shape[::-1], **frame), image)
    return features.replaced(weights=inside.astype(np.float32))
