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
from disa.features.field_of_view import extend_beyond, is_blank_beyond, on_grid
from disa.features.mask_place import check_mask_place
from disa.features.network_grid import MARGIN, box_grid, cells_of, check_describable, clipped_box, covering_grid
from disa.features.padding import seen_part, volume_of
from disa.features.preparation import limited, normalize, scaled, smooth_for
from disa.features.volumes import cut, smooth
from disa.features.weights import local_deviation
from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of
from disa.io.images import ImageLike, image_name, load_image, load_mask
from disa.network.describer import Describer
from disa.network.footprint import check_memory

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

    @property
    def left_by_mask(self) -> float:
        """mm^3 of the image within a mask beyond which it goes on; infinity if there is no such mask."""

    @property
    def shown_volume(self) -> float:
        """mm^3 of what the image shows without its padding; infinity if it ends at its mask, or if nobody knows."""

    def extended(self: AnySide) -> AnySide:
        """The same, but the network is shown the image as if it went on beyond its mask."""

    def features(
        self, voxel: float, stride: int, axes: FloatArray | None = None, around: FloatArray | None = None
    ) -> FeatureVolume:
        """Weighted descriptors; all is 0 outside of the image and mask.

        Args:
            voxel: mm between the voxels that the network sees.
            stride: voxels between descriptors.
            axes: of their grid; None: the side's own.
            around: points about which they are wanted; None: everywhere.

        Raises:
            RegistrationError: the mask leaves none of any weight in the whole image.
        """

    def mean(self, voxel: float, stride: int, axes: FloatArray | None = None) -> list[float]:
        """Weighted mean of the descriptors of the whole image, whatever its mask: what is special in it stays so."""

    def checked(self, features: FeatureVolume) -> FeatureVolume:
        """The same. Raises RegistrationError or ImageError where none of them has a weight."""

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        """Descriptors under the metric's kernel, its wide part sigma mm; still 0 outside of image and mask."""


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
        role: str = "fixed",
    ) -> None:
        """
        Args:
            image: checked, float32.
            name: what messages call it.
            describer: what turns voxels into descriptors.
            mask: checked, not 0 inside, on any grid; None: all of the image is inside.
            shown: what the network sees in the place of the image; None: the image.
            role: "fixed" or "moving", for messages about the mask.
        """
        self.image = image
        self.name = name
        self.grid = Grid.of(image)
        self.describer = describer
        self.role = role
        self._mask = mask
        self._shown = image if shown is None else shown
        self._prepared: dict[float, sitk.Image] = {}

    @functools.cached_property
    def inside(self) -> sitk.Image:
        if self._seen is None:
            return sitk.Cast(self.image * 0 + 1, sitk.sitkUInt8) if self._mask is None else self._mask
        return self._seen if self._mask is None else self._seen * on_grid(self._mask, self.image)

    @functools.cached_property
    def ends_at_mask(self) -> bool:
        return self._mask is not None and is_blank_beyond(self.image, self._mask)

    @property
    def left_by_mask(self) -> float:
        if self._mask is None or self.ends_at_mask:
            return np.inf
        return _core.mask_volume(self.grid, int(np.count_nonzero(_core.lattice(self.grid).nearest(self._mask))))

    @property
    def shown_volume(self) -> float:
        return np.inf if self.ends_at_mask else volume_of(self.image, self._seen)

    def extended(self) -> ImageSide:
        assert self._mask is not None
        shown = extend_beyond(self.image, self.inside)
        return ImageSide(self.image, self.name, self.describer, self._mask, shown, self.role)

    def features(
        self, voxel: float, stride: int, axes: FloatArray | None = None, around: FloatArray | None = None
    ) -> FeatureVolume:
        axes = self.grid.direction if axes is None else axes
        if around is None:
            features = self.whole_features(voxel, stride, axes, weighted=True)
            return self.checked(self._cut(features))
        box = box_grid(clipped_box(around, self.grid.corners, axes), voxel, axes)
        return self._cut(self.describe(box, stride).quantized())

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
            weighted: by local deviation in place of 1.
        """
        return self.describe(grid, stride, transform, voxel=voxel, weighted=weighted).quantized()

    def mean(self, voxel: float, stride: int, axes: FloatArray | None = None) -> list[float]:
        axes = self.grid.direction if axes is None else axes
        return _core.mean_of(self.whole_features(voxel, stride, axes, weighted=True))

    def checked(self, features: FeatureVolume) -> FeatureVolume:
        if self._mask is None:
            check_any_inside(features, self.name)
        return _checked(features, self.role)

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        return self._cut(smooth(features, sigma, self.grid))

    def _cut(self, features: FeatureVolume) -> FeatureVolume:
        """Descriptors and weights of 0 outside of the mask and of what the volume holds of the body."""
        return _cut_by_mask(_cut_by_mask(features, self._mask), self._seen)

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
        """Float descriptors of what a grid shows of the image; 0, with weights of 0, outside of it and in padding.

        Args:
            grid: voxels for the network, the margin included.
            stride: voxels between descriptors.
            transform: from the grid's points to the image's; None: they share their space. Under one, descriptors are 0
                outside of the mask, too.
            voxel: mm that the image is smoothed for; None: the grid's.
            weighted: by local deviation, if the describer's descriptors are; False: 1 inside.
        """
        check_memory(grid.size[::-1], stride, self.name)
        prepared = self._prepare(grid.step if voxel is None else voxel)
        volume = grid.linear(prepared, transform, is_continued=True)
        traits = self.describer.traits(stride)
        kept = (slice(MARGIN // stride, -MARGIN // stride),) * 3
        cells = cells_of(grid, stride)
        shown = scaled(pixels_of(volume), prepared, traits.normalisation)
        descriptors = self.describer.describe(shown, stride)[kept]
        if transform is None:
            seen = _core.cells_inside(cells, self.grid)
            if self._seen is not None:
                seen = seen & cells.nearest(self._seen)
        else:
            seen = cells.nearest(self.inside, transform)
        weights = seen.astype(np.float32)
        if weighted and traits.is_weighted:
            weights *= local_deviation(volume, stride=stride)[kept]
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
            check_describable(self.grid, voxel, self.name)
            self._prepared[voxel] = normalize(smooth_for(self._limited, voxel), self.name)
        return self._prepared[voxel]

    @functools.cached_property
    def _limited(self) -> sitk.Image:
        return limited(self._shown if self._seen is None else extend_beyond(self._shown, self._seen))

    @functools.cached_property
    def _seen(self) -> sitk.Image | None:
        """Where the volume is not padded; None: everywhere."""
        return seen_part(self.image)

    @functools.cached_property
    def digest(self) -> str:
        """What tells the image, as the network is shown it, from others."""
        return digest_of(self._shown)


class FeatureSide:
    """Descriptors made before: they cannot turn."""

    can_reorient = False
    ends_at_mask = False
    left_by_mask = np.inf
    shown_volume = np.inf

    def __init__(self, features: FeatureVolume, mask: sitk.Image | None = None, role: str = "fixed") -> None:
        self.grid = Grid.of(features)
        self.role = role
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

    def features(
        self, voxel: float, stride: int, axes: FloatArray | None = None, around: FloatArray | None = None
    ) -> FeatureVolume:
        return self.checked(_cut_by_mask(self._features, self._mask))

    def mean(self, voxel: float, stride: int, axes: FloatArray | None = None) -> list[float]:
        return _core.mean_of(self._features)

    def checked(self, features: FeatureVolume) -> FeatureVolume:
        if self._mask is None and not features.weights.any():
            raise RegistrationError(f"{self.role} features: no descriptor has a weight above 0; extract them again")
        return _checked(features, self.role)

    def smooth(self, features: FeatureVolume, sigma: float) -> FeatureVolume:
        return _cut_by_mask(smooth(features, sigma), self._mask)


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
    loaded, inside = load_image(image, called), _open_mask(mask, name)
    if inside is not None:
        check_mask_place(inside, Grid.of(loaded), f"{name}_mask", f"{name} image")
    return ImageSide(loaded, called, describer, inside, role=name)


def open_side(image: ImageLike | FeatureVolume, name: str, mask: ImageLike | None, describer: Describer) -> Side:
    """The same, or from descriptors that were made before."""
    if isinstance(image, FeatureVolume):
        inside = _open_mask(mask, name)
        if inside is not None:
            check_mask_place(inside, Grid.of(image), f"{name}_mask", f"{name} features")
        return FeatureSide(image, inside, name)
    return open_image_side(image, name, mask, describer)


def open_sides(
    fixed: ImageLike | FeatureVolume,
    moving: ImageLike | FeatureVolume,
    masks: tuple[ImageLike | None, ImageLike | None],
    describer: Describer,
) -> tuple[Side, Side]:
    """Both sides of a registration; `masks` are the fixed and the moving one. Raises as `open_image_side` does."""
    return open_side(fixed, "fixed", masks[0], describer), open_side(moving, "moving", masks[1], describer)


def voxel_spacing_of(fixed: Side, moving: Side) -> float:
    """mm between the voxels that the network sees, where nobody says; docs/concepts.md has the rule."""
    shown = min(min(side.left_by_mask, side.shown_volume) for side in (fixed, moving))
    return _core.automatic_voxel_spacing(fixed.grid, moving.grid, shown)


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


def _cut_by_mask(features: FeatureVolume, mask: sitk.Image | None) -> FeatureVolume:
    return features if mask is None else cut(features, Grid.of(features).nearest(mask))


def _checked(features: FeatureVolume, role: str) -> FeatureVolume:
    if not features.weights.any():
        raise RegistrationError(
            f"{role}_mask: leaves no {role} descriptor of any weight; check that it shares the {role} image's space"
        )
    return features
