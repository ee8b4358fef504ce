# SPDX-License-Identifier: Apache-2.0
"""An image, its copy under a known deformation, and how far from it a transform is."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from helpers.displaced import centre_of
from helpers.images import rotation, structured_image

Pair = tuple[sitk.Image, sitk.Image, np.ndarray]


def known_displacement(points: np.ndarray) -> np.ndarray:
    """d(y) in mm, shape (..., 3); waves of 150 mm and more, which turn and stretch by some 10 %."""
    waves = np.stack([np.roll(points, shift, -1) for shift in range(3)], -1) / (150.0, 180.0, 210.0)
    return 3.0 * np.sin(2 * np.pi * waves).sum(-1) + np.array([2.0, -1.0, 1.5])


def deformed_pair() -> Pair:
    """An image, its copy M(y) = -F(y + d(y)) on a turned grid, and points well within the image, mm."""
    fixed = structured_image((52, 48, 44), seed=3)
    centre, spacing, size = np.asarray(centre_of(fixed)), 4.0, (50, 48, 46)
    origin = centre - spacing * np.asarray(size) / 2
    places = np.moveaxis(np.indices(size[::-1]), 0, -1)[..., ::-1] * spacing + origin
    vectors = sitk.GetImageFromArray(known_displacement(places), isVector=True)
    vectors.SetOrigin(origin.tolist())
    vectors.SetSpacing((spacing,) * 3)
    turn, moving_size, moving_spacing = rotation(8, -6, 10), (62, 58, 54), 2.1
    moving = sitk.Resample(
        fixed,
        moving_size,
        sitk.DisplacementFieldTransform(vectors),
        sitk.sitkLinear,
        (centre - turn @ ((np.asarray(moving_size) - 1) / 2 * moving_spacing)).tolist(),
        (moving_spacing,) * 3,
        turn.ravel().tolist(),
        0.0,
    )
    return fixed, -1.0 * moving, centre + np.array(list(np.ndindex(5, 5, 5))) * 14.0 - 28.0


def moved(transform: sitk.Transform, points: np.ndarray) -> np.ndarray:
    return np.array([list(transform.TransformPoint(p)) for p in points.tolist()])


def error_of(transform: sitk.Transform, points: np.ndarray) -> float:
    """Mean distance in mm of y + d(y) from x, with y where the transform takes x to; 0 for the truth."""
    places = moved(transform, points)
    return float(np.linalg.norm(places + known_displacement(places) - points, axis=1).mean())
