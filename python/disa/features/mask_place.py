# SPDX-License-Identifier: Apache-2.0
"""Whether a mask lies where its image does."""

from __future__ import annotations

import warnings

import numpy as np
import SimpleITK as sitk

from disa.core import _core
from disa.errors import ImageError, ImageWarning
from disa.geometry.grid import Grid

MOST_OUTSIDE = 0.5
"""Share of a mask outside of its image from which it is said."""


def check_place(mask: sitk.Image, image: sitk.Image, name: str) -> None:
    """Warn of a mask that lies mostly outside of its image.

    Args:
        mask: not 0 inside.
        image: that it is of.
        name: what messages call the image.

    Raises:
        ImageError: the mask has the image's size, but no place of its own, as one that was made from an array.
    """
    if _has_no_place(mask) and not _has_no_place(image) and mask.GetSize() == image.GetSize():
        raise ImageError(
            f"{name}_mask: has the size of the {name} image, but origin 0, spacing 1 and no direction, unlike it; "
            "give it the image's, by mask.CopyInformation(image)"
        )
    lattice = _core.lattice(Grid.of(mask))
    z, y, x = np.nonzero(lattice.nearest(mask))
    if not x.size:
        return
    index = Grid.of(image).indices(lattice.points(np.stack([x, y, z], axis=1)))
    outside = 1 - float(((index >= -0.5) & (index <= np.asarray(image.GetSize()) - 0.5)).all(axis=1).mean())
    if MOST_OUTSIDE < outside < 1:  # where all of it does nothing is left, which is an error of its own
        warnings.warn(
            f"{name}_mask: {100 * outside:.0f} % of it lies outside of the {name} image; "
            "check that both share their space",
            ImageWarning,
            stacklevel=2,
        )


def _has_no_place(image: sitk.Image) -> bool:
    return (
        not any(image.GetOrigin())
        and set(image.GetSpacing()) == {1.0}
        and np.array_equal(np.reshape(image.GetDirection(), (3, 3)), np.eye(3))
    )
