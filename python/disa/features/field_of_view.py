# SPDX-License-Identifier: Apache-2.0
"""Images that end within their volume, as an ultrasound sector does: continued beyond, so that no black edge counts."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from disa.geometry.pixels import pixels_of


def extend_beyond(image: sitk.Image, mask: sitk.Image) -> sitk.Image:
    """The image with what lies outside of its field of view made up from what lies next to it.

    The network sees some 25 mm about a descriptor. An edge between tissue and the black beyond a field of view is the
    strongest structure there is, and no other image has it.

    Args:
        image: float32, 3-D.
        mask: its field of view, 8-bit, not 0 inside, on any grid.

    Returns:
        The same voxels inside; outside, means over ever wider surroundings, interpolated (a pull-push pyramid: Gortler
        et al., The lumigraph, SIGGRAPH 1996, section 3.4).
    """
    return _continued(image, sitk.Cast(on_grid(mask, image), sitk.sitkFloat32))


def _continued(image: sitk.Image, weight: sitk.Image) -> sitk.Image:
    known = pixels_of(weight) > 0
    if known.all() or not known.any():
        return image
    halves = [min(2, n) for n in image.GetSize()]
    shares = sitk.BinShrink(weight, halves)
    means = sitk.Divide(sitk.BinShrink(image * weight, halves), sitk.Maximum(shares, 1e-6))
    wider = _continued(means, sitk.Cast(shares > 0, sitk.sitkFloat32))
    spread = sitk.Resample(wider, image, sitk.Transform(), sitk.sitkLinear, 0.0, sitk.sitkFloat32, True)
    continued: sitk.Image = image * weight + spread * (1.0 - weight)
    return continued


def is_blank_beyond(image: sitk.Image, mask: sitk.Image) -> bool:
    """Whether all voxels beyond a mask, of which there are some, have one value: the image ends there."""
    outside = pixels_of(image)[pixels_of(on_grid(mask, image)) == 0]
    return outside.size > 0 and bool(np.ptp(outside) == 0)


def on_grid(mask: sitk.Image, image: sitk.Image) -> sitk.Image:
    """1 inside, else 0."""
    inside: sitk.Image = sitk.NotEqual(sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0.0), 0)
    return inside
