# SPDX-License-Identifier: Apache-2.0
"""A pair of images to register, and what every registration of it needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk

from helpers.images import rotation, structured_image

TRUTH = (0.06, -0.05, 0.08, 5.0, -4.0, 3.0)


def centre_of(image: sitk.Image) -> list[float]:
    return list(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))


def displaced_images() -> tuple[sitk.Image, sitk.Image, list[float]]:
    """An image, its own copy, displaced and with inverted intensities, on a turned and shifted grid, and its centre."""
    fixed = structured_image((56, 52, 48), seed=3)
    truth = sitk.Euler3DTransform(centre_of(fixed), *TRUTH[:3], TRUTH[3:])
    direction = rotation(8, -6, 10)
    size, spacing = (70, 66, 62), 2.1
    origin = np.asarray(truth.TransformPoint(centre_of(fixed))) - direction @ ((np.asarray(size) - 1) / 2 * spacing)
    moving = sitk.Resample(
        fixed,
        size,
        truth.GetInverse(),
        sitk.sitkLinear,
        origin.tolist(),
        (spacing,) * 3,
        direction.ravel().tolist(),
        0.0,
    )
    return fixed, -1.0 * moving, centre_of(fixed)


def error_of(transform: Any, centre: list[float]) -> float:
    """Mean distance from the truth in mm over points 40 mm around the centre."""
    truth = sitk.Euler3DTransform(centre, *TRUTH[:3], TRUTH[3:])
    points = np.asarray(centre) + 40.0 * np.array(list(np.ndindex(3, 3, 3))) - 40.0
    return float(
        np.mean(
            [
                np.linalg.norm(np.subtract(transform.TransformPoint(p.tolist()), truth.TransformPoint(p.tolist())))
                for p in points
            ]
        )
    )
