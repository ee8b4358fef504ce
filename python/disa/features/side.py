"""The two sides of a registration: images, or descriptors made before, asked for descriptors as the search goes on."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.errors import RegistrationError
from disa.features.extract import check_any_inside, check_spacing, describe, frame_of, normalize
from disa.features.field_of_view import extend_beyond, is_blank_beyond
from disa.features.resampling import Grid, box_grid, covering_grid, smooth_for
from disa.features.store import stored
from disa.io.images import ImageLike, image_name, load_image, load_mask
from disa.network.models import find_model, fingerprint
from disa.network.session import GPU, first_provider

FloatArray = npt.NDArray[np.float64]


class Source(Protocol):
    """What a registration asks of its fixed or moving side. Axes are (3, 3) with columns, points (n, 3), mm."""

    can_reorient: bool

    @property
    def axes(self) -> FloatArray:
        """Of its grid."""

    @property
    def corners(self) -> FloatArray:
        """Of its box, shape (8, 3)."""

    def fixed_features(self, spacing: float, stride: int) -> FeatureVolume:
        """Weighted descriptors on the source's own axes."""

    def moving_features(
        self, spacing: float, stride: int, axes: FloatArray, around: FloatArray | None = None
    ) -> FeatureVolume:
        """Descriptors on given axes, of the box about some points only; weights are 0 outside the image and mask."""

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        """Moving descriptors convolved with the kernel of that width, mm; still 0 outside the image and mask."""


class ImageSource:
    """An image, read and checked once, resampled and run through the network as often as asked."""

    can_reorient = True

    def __init__(
        self,
        image: ImageLike,
        name: str,
        mask: ImageLike | None,
        model: str | os.PathLike[str],
        providers: Sequence[str] | None,
    ) -> None:
        self._name = image_name(image) if isinstance(image, (str, os.PathLike)) else name
        self._image = load_image(image, self._name)
        self._mask = None if mask is None else load_mask(mask, f"{name}_mask")
        self._seen = self._image
        self._model = model
        self._providers = providers
        self._normalized: dict[float, sitk.Image] = {}

    @property
    def image(self) -> sitk.Image:
        """As it was read, float32."""
        return self._image

    @property
    def axes(self) -> FloatArray:
        return np.asarray(self._image.GetDirection()).reshape(3, 3)

    @property
    def corners(self) -> FloatArray:
        ends = [(-0.5, n - 0.5) for n in self._image.GetSize()]
        return np.asarray([self._image.TransformContinuousIndexToPhysicalPoint(c) for c in itertools.product(*ends)])

    @property
    def ends_at_mask(self) -> bool:
        """Whether all beyond its mask is of one value."""
        return self._mask is not None and is_blank_beyond(self._image, self._mask)

    def extend(self) -> None:
        """From now on, show the network the image as if it went on beyond its mask."""
        assert self._mask is not None
        self._seen = extend_beyond(self._image, self._mask)

    def fixed_features(self, spacing: float, stride: int) -> FeatureVolume:
        features = self._describe(spacing, stride, self.axes, None, weighted=True)
        return features if self._mask is None else _weighted_by_mask(features, self._mask)

    def moving_features(
        self, spacing: float, stride: int, axes: FloatArray, around: FloatArray | None = None
    ) -> FeatureVolume:
        features = self._describe(spacing, stride, axes, around, weighted=False)
        return features if self._mask is None else _cut_by_mask(features, self._mask)

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        widened = _core.widen(features, frame_of(self._image), sigma)
        return widened if self._mask is None else _cut(widened, features.weights > 0)

    def _describe(
        self, spacing: float, stride: int, axes: FloatArray, around: FloatArray | None, weighted: bool
    ) -> FeatureVolume:
        check_spacing(spacing)
        provider = first_provider(self._providers)
        path = find_model(self._model, stride, provider == GPU)
        grid = self._grid(spacing, axes, around)

        def make() -> FeatureVolume:
            normal = self._normal(spacing)
            return describe(normal, self._image, grid, path, stride, self._providers, weighted).quantized()

        if around is not None:
            return make()
        request = (fingerprint(path), provider, spacing, stride, axes.tolist(), weighted)
        found = stored(self._seen, request, make)
        check_any_inside(found, self._name)
        return found

    def _grid(self, spacing: float, axes: FloatArray, around: FloatArray | None) -> Grid:
        """Voxels for the network, over the whole image or the part of it in a box."""
        if around is None:
            return covering_grid(self._image, spacing, axes, self._name)
        return box_grid(_clip_box(around @ axes, self.corners @ axes) @ axes.T, spacing, axes)

    def _normal(self, spacing: float) -> sitk.Image:
        """The image as the network is to see it, on its own grid; made once for each spacing."""
        if spacing not in self._normalized:
            self._normalized[spacing] = normalize(smooth_for(self._seen, spacing), self._name)
        return self._normalized[spacing]


class FeatureSource:
    """Descriptors made before: they cannot turn."""

    can_reorient = False

    def __init__(self, features: FeatureVolume, mask: ImageLike | None, name: str) -> None:
        self._features = features
        self._mask = None if mask is None else load_mask(mask, f"{name}_mask")

    @property
    def axes(self) -> FloatArray:
        return np.asarray(self._features.direction).reshape(3, 3)

    @property
    def corners(self) -> FloatArray:
        ends = [(-0.5, n - 0.5) for n in self._features.weights.shape[::-1]]
        index = np.asarray(list(itertools.product(*ends)))
        return np.asarray(self._features.origin) + index * self._features.spacing @ self.axes.T

    def fixed_features(self, spacing: float, stride: int) -> FeatureVolume:
        return self._features if self._mask is None else _weighted_by_mask(self._features, self._mask)

    def moving_features(
        self, spacing: float, stride: int, axes: FloatArray, around: FloatArray | None = None
    ) -> FeatureVolume:
        return self._features if self._mask is None else _cut_by_mask(self._features, self._mask)

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        widened = _core.widen(features, _frame_of_cells(features), sigma)
        return widened if self._mask is None else _cut(widened, features.weights > 0)


def open_source(
    image: ImageLike | FeatureVolume,
    name: str,
    mask: ImageLike | None,
    model: str | os.PathLike[str],
    providers: Sequence[str] | None,
) -> Source:
    """The fixed or moving side of a registration.

    Raises:
        ImageError: the image or mask cannot be used; the message names which.
    """
    if isinstance(image, FeatureVolume):
        return FeatureSource(image, mask, name)
    return ImageSource(image, name, mask, model, providers)


def extend_beyond_masks(fixed: Source, moving: Source) -> None:
    """Where one image ends at its mask and the other does not, as an ultrasound sector in an MR, it is extended.

    Where both do, as two brains without their skulls, the edge is structure that they share.
    """
    ending = [source for source in (fixed, moving) if isinstance(source, ImageSource) and source.ends_at_mask]
    if len(ending) == 1:
        ending[0].extend()


def _frame_of_cells(features: FeatureVolume) -> _core.Frame:
    """The image that the cells fill, each as a voxel, and one more on every side, so that none lies on its border."""
    size = tuple(n + 2 for n in features.weights.shape[::-1])
    axes = np.asarray(features.direction).reshape(3, 3)
    origin = np.asarray(features.origin) - axes @ features.spacing
    return _core.Frame(size, origin, features.spacing, features.direction)


def _inside_mask(features: FeatureVolume, mask: sitk.Image) -> npt.NDArray[np.bool_]:
    """Cells whose centre the mask has inside, shape (z, y, x)."""
    resampled = sitk.Resample(
        mask,
        features.weights.shape[::-1],
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        features.origin,
        features.spacing,
        features.direction,
        0.0,
    )
    inside: npt.NDArray[np.bool_] = sitk.GetArrayFromImage(resampled) != 0
    return inside


def _weighted_by_mask(features: FeatureVolume, mask: sitk.Image) -> FeatureVolume:
    weights = np.where(_inside_mask(features, mask), features.weights, np.float32(0))
    if not weights.any():
        raise RegistrationError(
            "fixed_mask: leaves no fixed descriptor of any weight; check that it shares the fixed image's space"
        )
    return features.replaced(weights=weights)


def _cut_by_mask(features: FeatureVolume, mask: sitk.Image) -> FeatureVolume:
    inside = _inside_mask(features, mask)
    if not inside.any():
        raise RegistrationError(
            "moving_mask: leaves no moving descriptor; check that it shares the moving image's space"
        )
    return _cut(features, inside)


def _cut(features: FeatureVolume, inside: npt.NDArray[np.bool_]) -> FeatureVolume:
    data = np.where(inside[..., None], features.data, features.data.dtype.type(0))
    return features.replaced(data=data, weights=np.where(inside, features.weights, np.float32(0)))


def _clip_box(points: FloatArray, limits: FloatArray) -> FloatArray:
    """Lowest and highest corner of the points' box, cut to the limits' box; the nearest face where they do not meet."""
    low, high = limits.min(axis=0), limits.max(axis=0)
    return np.stack([points.min(axis=0).clip(low, high), points.max(axis=0).clip(low, high)])
