# SPDX-License-Identifier: Apache-2.0
"""The two sides of a registration, and the one way from an image to its descriptors."""

from __future__ import annotations

import functools
import os
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.errors import ImageError, RegistrationError
from disa.features.cache import cached, digest_of
from disa.features.field_of_view import extend_beyond, is_blank_beyond
from disa.features.network_grid import MARGIN, box_grid, cells_of, clipped_box, covering_grid
from disa.features.preparation import limited, normalize, smooth_for
from disa.features.volumes import cut, smooth, smooth_within
from disa.features.weights import local_variance
from disa.geometry.grid import Grid
from disa.io.images import ImageLike, image_name, load_image, load_mask
from disa.network.describer import Describer

FloatArray = npt.NDArray[np.float64]
AnySide = TypeVar("AnySide", bound="Side")


class Side(Protocol):
    """What a registration asks of its fixed or moving side. Axes are (3, 3) with columns, points (n, 3), mm."""

    can_reorient: bool

    @property
    def grid(self) -> Grid:
        """Of the image's voxels, or of the descriptors where there is no image."""

    @property
    def inside(self) -> sitk.Image:
        """8-bit image, not 0 where the image and its mask are."""

    @property
    def ends_at_mask(self) -> bool:
        """Whether all beyond its mask is of one value."""

    def extended(self: AnySide) -> AnySide:
        """The same, but the network is shown the image as if it went on beyond its mask."""

    def fixed_features(self, voxel: float, stride: int) -> FeatureVolume:
        """Weighted descriptors on the side's own axes, of voxels of so many mm; weights are 0 outside of the mask."""

    def moving_features(
        self, voxel: float, stride: int, axes: FloatArray, around: FloatArray | None = None
    ) -> FeatureVolume:
        """Descriptors on given axes, of the box about some points only; all is 0 outside of the image and mask."""

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        """Moving descriptors under the metric's kernel, its wide part sigma mm; still 0 outside of image and mask."""


class ImageSide:
    """An image with its mask, read and checked once, described as often as asked.

    Every door of the package describes images here, so masks, fields of view, weights and caches mean the same in all.
    """

    can_reorient = True

    def __init__(
        self,
        image: sitk.Image,
        name: str,
        describer: Describer,
        mask: sitk.Image | None = None,
        shown: sitk.Image | None = None,
    ) -> None:
        """
        Args:
            image: checked, float32.
            name: what messages call it.
            describer: what turns voxels into descriptors.
            mask: checked, not 0 inside, on any grid; None: all of the image is inside.
            shown: what the network sees in the place of the image; None: the image.
        """
        self.image = image
        self.name = name
        self.grid = Grid.of(image)
        self.describer = describer
        self._mask = mask
        self._shown = image if shown is None else shown
        self._prepared: dict[float, sitk.Image] = {}

    @functools.cached_property
    def inside(self) -> sitk.Image:
        return sitk.Cast(self.image * 0 + 1, sitk.sitkUInt8) if self._mask is None else self._mask

    @property
    def ends_at_mask(self) -> bool:
        return self._mask is not None and is_blank_beyond(self.image, self._mask)

    def extended(self) -> ImageSide:
        assert self._mask is not None
        return ImageSide(self.image, self.name, self.describer, self._mask, extend_beyond(self.image, self._mask))

    def fixed_features(self, voxel: float, stride: int) -> FeatureVolume:
        return _weighted_by_mask(self.whole_features(voxel, stride, self.grid.direction, weighted=True), self._mask)

    def moving_features(
        self, voxel: float, stride: int, axes: FloatArray, around: FloatArray | None = None
    ) -> FeatureVolume:
        if around is None:
            return _cut_by_mask(self.whole_features(voxel, stride, axes, weighted=False), self._mask)
        box = box_grid(clipped_box(around, self.grid.corners, axes), voxel, axes)
        return _cut_by_mask(self.describe(box, stride, weighted=False).quantized(), self._mask)

    def warped_features(
        self, grid: Grid, stride: int, transform: sitk.Transform, *, voxel: float, weighted: bool = False
    ) -> FeatureVolume:
        """Descriptors of the image under a transform; 0, with weights of 0, outside of it and its mask.

        The network sees the image as the transform shows it, so descriptors turn, scale and bend with T, which the
        paper takes for granted (phi(M o T) = phi(M) o T, section 2) and which its network only approximates.

        Args:
            grid: voxels for the network in the other image's space, the margin included.
            stride: voxels between descriptors.
            transform: from that space's points to this image's.
            voxel: mm that the image is smoothed for.
            weighted: by local variance in place of 1.
        """
        return self.describe(grid, stride, transform, voxel=voxel, weighted=weighted).quantized()

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        widened = smooth(features, sigma, self.grid)
        return widened if self._mask is None else cut(widened, features.weights > 0)

    def whole_features(self, voxel: float, stride: int, axes: FloatArray, *, weighted: bool) -> FeatureVolume:
        """Descriptors of the whole image on some axes, whatever its mask; of an image seen before, those from then."""
        grid = covering_grid(self.grid, voxel, axes, self.name)
        request = (self.describer.identity(stride), voxel, stride, np.asarray(axes).tolist(), weighted)
        features = cached(self.digest, request, lambda: self.describe(grid, stride, weighted=weighted).quantized())
        check_any_inside(features, self.name)
        return features

    def describe(
        self,
        grid: Grid,
        stride: int,
        transform: sitk.Transform | None = None,
        *,
        voxel: float | None = None,
        weighted: bool = True,
    ) -> FeatureVolume:
        """Float descriptors of what a grid shows of the image; 0, with weights of 0, outside of the image.

        Args:
            grid: voxels for the network, the margin included.
            stride: voxels between descriptors.
            transform: from the grid's points to the image's; None: they share their space. Under one, descriptors are 0
                outside of the mask, too.
            voxel: mm that the image is smoothed for; None: the grid's.
            weighted: by local variance, if the describer's descriptors are; False: 1 inside.
        """
        volume = grid.linear(self._prepare(grid.step if voxel is None else voxel), transform, is_continued=True)
        kept = (slice(MARGIN // stride, -MARGIN // stride),) * 3
        cells = cells_of(grid, stride)
        descriptors = self.describer.describe(sitk.GetArrayViewFromImage(volume), stride)[kept]
        if transform is None:
            seen = _core.cells_inside(cells, self.grid)
        else:
            seen = cells.nearest(self.inside, transform)
        weights = seen.astype(np.float32)
        if weighted and self.describer.is_weighted:
            weights *= local_variance(volume, stride=stride)[kept]
        return FeatureVolume(
            data=np.where(seen[..., None], descriptors, np.float32(0)),
            scale=1.0,
            weights=weights,
            **cells.frame,
            network=self.describer.fingerprint(stride),
        )

    def _prepare(self, voxel: float) -> sitk.Image:
        """The image as the network is to see it, on its own grid; made once for each size of voxels."""
        if voxel not in self._prepared:
            self._prepared[voxel] = normalize(smooth_for(self._limited, voxel), self.name)
        return self._prepared[voxel]

    @functools.cached_property
    def _limited(self) -> sitk.Image:
        return limited(self._shown)

    @functools.cached_property
    def digest(self) -> str:
        """What tells the image, as the network is shown it, from others."""
        return digest_of(self._shown)


class FeatureSide:
    """Descriptors made before: they cannot turn."""

    can_reorient = False
    ends_at_mask = False

    def __init__(self, features: FeatureVolume, mask: sitk.Image | None = None) -> None:
        self.grid = Grid.of(features)
        self._features = features
        self._mask = mask

    @functools.cached_property
    def inside(self) -> sitk.Image:
        seen = self._features.weights > 0
        if self._mask is not None:
            seen = seen & self.grid.nearest(self._mask)
        return self.grid.image_of(seen.astype(np.uint8))

    def extended(self) -> FeatureSide:
        return self

    def fixed_features(self, voxel: float, stride: int) -> FeatureVolume:
        return _weighted_by_mask(self._features, self._mask)

    def moving_features(
        self, voxel: float, stride: int, axes: FloatArray, around: FloatArray | None = None
    ) -> FeatureVolume:
        return _cut_by_mask(self._features, self._mask)

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        return smooth(features, sigma) if self._mask is None else smooth_within(features, sigma)


def open_image_side(image: ImageLike, name: str, mask: ImageLike | None, describer: Describer) -> ImageSide:
    """A side of a registration from what a caller gives.

    Args:
        image: SimpleITK image, ITK image, or path.
        name: "fixed" or "moving".
        mask: the same, not 0 inside; None: all of the image is inside.
        describer: what turns voxels into descriptors.

    Raises:
        ImageError: the image or mask cannot be used; the message names which.
    """
    called = image_name(image) if isinstance(image, (str, os.PathLike)) else name
    return ImageSide(load_image(image, called), called, describer, _open_mask(mask, name))


def open_side(image: ImageLike | FeatureVolume, name: str, mask: ImageLike | None, describer: Describer) -> Side:
    """The same, or from descriptors that were made before."""
    if isinstance(image, FeatureVolume):
        return FeatureSide(image, _open_mask(mask, name))
    return open_image_side(image, name, mask, describer)


def open_sides(
    fixed: ImageLike | FeatureVolume,
    moving: ImageLike | FeatureVolume,
    masks: tuple[ImageLike | None, ImageLike | None],
    describer: Describer,
) -> tuple[Side, Side]:
    """Both sides of a registration; `masks` are the fixed and the moving one. Raises as `open_image_side` does."""
    return open_side(fixed, "fixed", masks[0], describer), open_side(moving, "moving", masks[1], describer)


def extended_beyond_masks(fixed: AnySide, moving: AnySide) -> tuple[AnySide, AnySide]:
    """Both sides; an image that ends at its mask goes on where the other does not, as an ultrasound sector in an MR.

    Where both do, as two brains without their skulls, the edge is structure that they share.
    """
    fixed_ends, moving_ends = fixed.ends_at_mask, moving.ends_at_mask
    if fixed_ends and not moving_ends:
        return fixed.extended(), moving
    if moving_ends and not fixed_ends:
        return fixed, moving.extended()
    return fixed, moving


def check_any_inside(features: FeatureVolume, name: str) -> None:
    """Raises ImageError where an image is so thin that it lies between its descriptors."""
    if not features.weights.any():
        raise ImageError(
            f"{name}: lies between its descriptors, which are {features.spacing[0]:g} mm apart; expected a thicker "
            "image, or a smaller spacing or stride"
        )


def _open_mask(mask: ImageLike | None, name: str) -> sitk.Image | None:
    return None if mask is None else load_mask(mask, f"{name}_mask")


def _weighted_by_mask(features: FeatureVolume, mask: sitk.Image | None) -> FeatureVolume:
    if mask is None:
        return features
    weights = np.where(Grid.of(features).nearest(mask), features.weights, np.float32(0))
    if not weights.any():
        raise RegistrationError(
            "fixed_mask: leaves no fixed descriptor of any weight; check that it shares the fixed image's space"
        )
    return features.replaced(weights=weights)


def _cut_by_mask(features: FeatureVolume, mask: sitk.Image | None) -> FeatureVolume:
    if mask is None:
        return features
    inside = Grid.of(features).nearest(mask)
    if not inside.any():
        raise RegistrationError(
            "moving_mask: leaves no moving descriptor; check that it shares the moving image's space"
        )
    return cut(features, inside)
