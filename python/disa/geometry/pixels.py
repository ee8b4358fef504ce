# SPDX-License-Identifier: Apache-2.0
"""The voxels of an image as an array, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk


class _Held:
    """What numpy takes an array from; it keeps the image, whose memory that is."""

    def __init__(self, image: sitk.Image) -> None:
        view = sitk.GetArrayViewFromImage(image)  # noqa: TID251
        self.image = image
        self.__array_interface__ = view.__array_interface__


def pixels_of(image: sitk.Image) -> npt.NDArray[Any]:
    """Voxels, shape (z, y, x) or, of vectors, (z, y, x, components); not to be written to.

    The image lives as long as the array. SimpleITK's own view does not keep it: of an image that nobody else holds, as
    the result of a call within a call, it shows memory that is somebody else's by then.
    """
    return np.asarray(_Held(image))
