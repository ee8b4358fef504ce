# SPDX-License-Identifier: Apache-2.0
"""The compiled part that needs no ITK, and what `pickle` keeps of its feature volumes."""

from __future__ import annotations

import copyreg
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from disa import _core
from disa._core import FeatureVolume
from disa.errors import ImageError

Content = tuple[str, tuple[int, ...], bytes, bytes, tuple[float, ...], "str | None"]
"""Of a pickled volume: dtype and shape of the descriptors, these and the weights as bytes, scale and frame, network."""

_KINDS = ("|i1", "<f4")
_NUMBERS = (("scale", 1), ("origin", 3), ("spacing", 3), ("direction", 9))


def _checksum(content: Content) -> int:
    kind, shape, data, weights, numbers, network = content
    text = repr((kind, tuple(shape), network)).encode() + struct.pack(f"<{len(numbers)}d", *numbers)
    return zlib.crc32(weights, zlib.crc32(data, zlib.crc32(text)))


def _reduce(features: FeatureVolume) -> tuple[Callable[..., FeatureVolume], tuple[Content, int]]:
    """What `pickle` and `copy` keep of a feature volume."""
    numbers = (features.scale, *features.origin, *features.spacing, *features.direction)
    data, weights = np.ascontiguousarray(features.data), np.ascontiguousarray(features.weights)
    content = (data.dtype.str, data.shape, data.tobytes(), weights.tobytes(), numbers, features.network)
    return _restore, (content, _checksum(content))


def _restore(content: Any, checksum: Any) -> FeatureVolume:
    """The feature volume of a pickle, checked as one of a file is.

    Raises:
        ImageError: it is damaged, or was not made by `_reduce`.
    """
    try:
        kind, shape, data, weights, numbers, network = content
        if checksum != _checksum(content) or kind not in _KINDS:
            raise ValueError("not what _reduce made")
        parts = np.split(np.array(numbers), np.cumsum([count for _, count in _NUMBERS])[:-1])
        frame: dict[str, Any] = {name: part for (name, _), part in zip(_NUMBERS, parts, strict=True)}
        return FeatureVolume(
            data=np.frombuffer(data, kind).reshape(shape),
            weights=np.frombuffer(weights, np.float32).reshape(shape[:3]),
            network=network,
            **{**frame, "scale": float(frame["scale"][0])},
        )
    except ImageError:
        raise
    except (TypeError, ValueError, IndexError, OverflowError, AttributeError, struct.error):
        raise ImageError("a pickled feature volume is damaged; make it anew or use FeatureVolume.save") from None


copyreg.pickle(FeatureVolume, _reduce)

__all__ = ["FeatureVolume", "_core"]
