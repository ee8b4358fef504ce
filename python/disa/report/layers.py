# SPDX-License-Identifier: Apache-2.0
"""A registration as layers of napari."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.geometry.applying import resampled
from disa.geometry.pixels import pixels_of
from disa.io.images import ImageLike, load_image

if TYPE_CHECKING:
    from disa.pose.result import RegistrationResult

LayerData: TypeAlias = tuple[npt.NDArray[np.float32], dict[str, Any], str]
"""napari's LayerDataTuple: array, arguments of the layer, kind of the layer."""

SHOWN_PERCENTILES = (0.5, 99.5)


def napari_layers(result: RegistrationResult, fixed: ImageLike, moving: ImageLike) -> list[LayerData]:
    """The fixed image, the moving one before (hidden) and after over it, half transparent.

    The moving image is resampled onto the fixed one's grid, because napari's 2-D view leaves out the part of a layer's
    rotation that lies out of the slice. napari is not imported:
    `viewer.add_layer(napari.layers.Layer.create(*layer))` adds a layer.

    Args:
        result: what `register`, `global_register` or `deformable_register` returned.
        fixed: the images it was given: SimpleITK image, ITK image, or path.
        moving: the same.

    Returns:
        Three tuples of an array of shape (z, y, x), the layer's arguments and "image". World coordinates are (z, y, x)
        in mm, LPS: a slice along the first axis is seen from the feet, anterior up, the patient's left at the right.

    Raises:
        ImageError: an image cannot be used.
    """
    target, source = load_image(fixed, "fixed"), load_image(moving, "moving")
    before = resampled(source, target, sitk.Transform(3, sitk.sitkIdentity))
    after = resampled(source, target, result.transform)
    shared = {"affine": _affine(target), "blending": "translucent"}
    return [
        (_pixels(target), {"name": "fixed", **shared, **_greys(target)}, "image"),
        (_pixels(before), {"name": "moving, before", **shared, **_overlaid(source), "visible": False}, "image"),
        (_pixels(after), {"name": "moving, registered", **shared, **_overlaid(source)}, "image"),
    ]


def _pixels(image: sitk.Image) -> npt.NDArray[np.float32]:
    pixels: npt.NDArray[np.float32] = sitk.GetArrayFromImage(image)
    return pixels


def _affine(image: sitk.Image) -> npt.NDArray[np.float64]:
    """From index (z, y, x) to world (z, y, x), shape (4, 4)."""
    axes = np.asarray(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine = np.eye(4)
    affine[:3, :3] = axes[::-1, ::-1]
    affine[:3, 3] = image.GetOrigin()[::-1]
    return affine


def _greys(image: sitk.Image) -> dict[str, Any]:
    """What the darkest and the brightest of the colour map stand for."""
    pixels = pixels_of(image)
    low, high = np.percentile(pixels, SHOWN_PERCENTILES)
    if low == high:
        low, high = pixels.min(), pixels.max()
    return {"colormap": "gray", "contrast_limits": (float(low), float(high))}


def _overlaid(image: sitk.Image) -> dict[str, Any]:
    return {**_greys(image), "colormap": "inferno", "opacity": 0.5}
