# SPDX-License-Identifier: Apache-2.0
"""Whether a mask, a map of labels or one of weights lies where its image does."""

from __future__ import annotations

import warnings

import numpy as np
import SimpleITK as sitk

from disa.core import _core
from disa.errors import ImageError, ImageWarning
from disa.geometry.grid import Grid

MOST_OUTSIDE = 0.5
"""Share of a mask outside of its image from which it is said."""

TOLERANCE = 1.0
"""Voxels of the image by which a mask's field of view may be narrower and still cover it."""


def check_mask_place(mask: sitk.Image, image: Grid, mask_name: str, image_name: str) -> None:
    """Warn of a mask that lies mostly outside of its image, or seems to have lost its place.

    A mask may be on any grid, as in ITK: its place in mm counts. One that was made from an array lies at the origin
    until it is given a place. Where its size is the image's, that is surely a fault. Where it is another, it may be
    meant: on an image that begins at the origin, too, or on a part of one that does.

    Args:
        mask: not 0 inside; a label map or weights as well.
        image: grid of the image that it is of.
        mask_name, image_name: what messages call them.

    Raises:
        ImageError: the mask has the image's size, but no place of its own, as one that was made from an array.
    """
    grid = Grid.of(mask)
    if _has_no_place(grid) and not _has_no_place(image):
        if grid.size == image.size:
            raise ImageError(
                f"{mask_name}: has the size of the {image_name}, but origin 0, spacing 1 and no direction, unlike it; "
                "give it the image's, by CopyInformation(image)"
            )
        if not _covers(grid, image):
            _warn(
                f"{mask_name}: has origin 0, spacing 1 and no direction, as one from an array, and does not cover the "
                f"{image_name}; where that is not meant, give it its origin, spacing and direction"
            )
            return
    lattice = _core.lattice(grid)
    z, y, x = np.nonzero(lattice.nearest(mask))
    if not x.size:
        return
    index = image.indices(lattice.points(np.stack([x, y, z], axis=1)))
    outside = 1 - float(((index >= -0.5) & (index <= np.asarray(image.size) - 0.5)).all(axis=1).mean())
    if MOST_OUTSIDE < outside < 1:  # where all of it does nothing is left, which is an error of its own
        _warn(
            f"{mask_name}: {100 * outside:.0f} % of it lies outside of the {image_name}; "
            "check that both share their space"
        )


def _warn(text: str) -> None:
    warnings.warn(text, ImageWarning, stacklevel=3)


def _covers(mask: Grid, image: Grid) -> bool:
    """Whether the mask's field of view holds the image's."""
    index = mask.indices(image.corners)
    slack = TOLERANCE * float(image.spacing.max()) / mask.spacing
    return bool(((index >= -0.5 - slack) & (index <= np.asarray(mask.size) - 0.5 + slack)).all())


def _has_no_place(grid: Grid) -> bool:
    return not grid.origin.any() and bool((grid.spacing == 1.0).all()) and np.array_equal(grid.direction, np.eye(3))
