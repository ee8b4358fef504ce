# SPDX-License-Identifier: Apache-2.0
"""The displaced pair as ITK's images, and what every registration of it by ITK needs."""

from __future__ import annotations

from typing import Any

import itk
from helpers.displaced import displaced_images
from helpers.itk_metric import ImageType, to_itk


def displaced_pair() -> tuple[Any, Any, list[float]]:
    """The same as ITK images."""
    fixed, moving, centre = displaced_images()
    return to_itk(fixed), to_itk(moving), centre


def rigid(centre: list[float]) -> Any:
    transform = itk.Euler3DTransform[itk.D].New()
    transform.SetCenter(centre)
    return transform


def method_of(pair: tuple[Any, Any, list[float]], metric: Any, optimizer: Any, transform: Any, levels: int = 2) -> Any:
    method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
        FixedImage=pair[0],
        MovingImage=pair[1],
        Metric=metric,
        Optimizer=optimizer,
        InitialTransform=transform,
    )
    method.SetNumberOfLevels(levels)
    method.SetShrinkFactorsPerLevel([2 ** (levels - 1 - level) for level in range(levels)])
    method.SetSmoothingSigmasPerLevel([0] * levels)
    method.InPlaceOn()
    return method
