# SPDX-License-Identifier: Apache-2.0
"""What the C++ metric calls for descriptors."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from disa.checking import check_spacing
from disa.core import FeatureVolume, _core
from disa.features.cache import CAPACITY
from disa.features.field_of_view import extend_beyond
from disa.features.padding import seen_part, volume_of
from disa.features.side import ImageSide
from disa.geometry.grid import Grid
from disa.io.images import image_from_array
from disa.network.describer import Network


class _Given(NamedTuple):
    asked: tuple[object, ...]  # image and request, axes aside
    direction: tuple[float, ...] | None
    features: FeatureVolume


class MetricExtractor:
    """Descriptors for a metric, with a memory of what it has given.

    Those that it has given before serve also for axes turned by no more than the reorientation angle, as they do within
    a registration: the nearest ones.
    """

    def __init__(self, reorientation_angle: float | None = None, weighting: bool = True) -> None:
        """
        Args:
            reorientation_angle: degrees that axes may be turned by and still be served by others; 0: by any angle;
                None: they are served by the same axes alone.
            weighting: False gives each descriptor inside an image the same weight.
        """
        self._angle = reorientation_angle
        self._weighting = weighting
        self._given: deque[_Given] = deque(maxlen=CAPACITY)

    def __call__(
        self,
        pixels: npt.NDArray[Any],
        grid: Grid,
        name: str,
        request: _core.FeatureRequest,
        field_of_view: npt.NDArray[np.uint8] | None,
    ) -> FeatureVolume:
        """Descriptors of an image.

        Args:
            pixels: shape (z, y, x).
            grid: of the image.
            name: what messages call it.
            request: model, voxel spacing, stride, providers, and axes for a moving image.
            field_of_view: not 0 inside, of the image's shape, where the image is to go on beyond; None: as it is.
        """
        check_spacing(request.voxel_spacing)
        image = image_from_array(pixels, grid, name)
        shown = image if field_of_view is None else extend_beyond(image, grid.image_of(field_of_view))
        side = ImageSide(image, name, Network(request.model, tuple(request.providers)), shown=shown)
        direction = None if request.direction is None else tuple(request.direction)
        asked = (side.digest, request.model, request.voxel_spacing, request.stride, tuple(request.providers))
        found = self._find_given(asked, direction)
        if found is None:
            axes = grid.direction if direction is None else np.reshape(direction, (3, 3))
            features = side.whole_features(request.voxel_spacing, request.stride, axes, weighted=self._weighting)
            found = _Given(asked, direction, features)
            self._given.append(found)
        return found.features

    def shown_volume(self, pixels: npt.NDArray[Any], grid: Grid) -> float:
        """mm^3 of what an image shows, without its padding; arguments are those of a call.

        Whether the image can be used at all is told by the call.
        """
        image = grid.image_of(np.asarray(pixels, np.float32))
        return volume_of(image, seen_part(image))

    def _find_given(self, asked: tuple[object, ...], direction: tuple[float, ...] | None) -> _Given | None:
        like = [g for g in self._given if g.asked == asked and (g.direction is None) == (direction is None)]
        if not like or direction is None:
            return like[0] if like else None
        if self._angle is None:
            return next((g for g in like if g.direction == direction), None)
        angles = [_core.angle_between(g.direction, direction) for g in like if g.direction is not None]
        nearest = int(np.argmin(angles))
        return like[nearest] if self._angle == 0 or angles[nearest] <= self._angle else None
