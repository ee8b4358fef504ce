"""What a registration gives back."""

from __future__ import annotations

from dataclasses import dataclass

import SimpleITK as sitk


@dataclass(frozen=True)
class Optimum:
    """A pose that the search ended at.

    Attributes:
        transform: fixed to moving points, mm.
        value: of the metric in the search, over smoothed descriptors; between -1 and 1, lower is better.
    """

    transform: sitk.Transform
    value: float


@dataclass(frozen=True)
class RegistrationResult:
    """A pose, how good it is, and what else there was.

    Attributes:
        transform: fixed to moving points, mm, as SimpleITK's registration returns it.
        value: of the metric at the end, between -1 and 1, lower is better. Not comparable with those of `optima`, whose
            descriptors are smoother.
        overlap: share of the fixed descriptors' weight that the transform takes into the moving image and mask.
        optima: distinct poses that the search ended at, the best first. Two of nearly the same value mean that the
            images do not tell which is right.
        evaluations: of the metric and its derivative.
        times: seconds by stage, in order.
    """

    transform: sitk.Transform
    value: float
    overlap: float
    optima: tuple[Optimum, ...]
    evaluations: int
    times: dict[str, float]
