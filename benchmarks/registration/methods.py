"""What is compared, each from a rigid pose to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import SimpleITK as sitk
from pipelines import register_mattes

import disa


class Outcome(NamedTuple):
    """The pose and how often the metric was evaluated, where that is known."""

    transform: sitk.Transform
    evaluations: int | None


class Options(NamedTuple):
    """Of DISA's runs."""

    model: str
    starts: int
    fine_spacing: float | None


Method = Callable[[sitk.Image, sitk.Image, sitk.Transform, Options], Outcome]


def disa_local(fixed: sitk.Image, moving: sitk.Image, pose: sitk.Transform, options: Options) -> Outcome:
    result = disa.register(
        fixed, moving, initial_transform=pose, model=options.model, fine_spacing=options.fine_spacing
    )
    return Outcome(result.transform, result.evaluations)


def disa_global(fixed: sitk.Image, moving: sitk.Image, pose: sitk.Transform, options: Options) -> Outcome:
    result = disa.global_register(
        fixed,
        moving,
        initial_transform=pose,
        model=options.model,
        starts=options.starts,
        fine_spacing=options.fine_spacing,
    )
    return Outcome(result.transform, result.evaluations)


def mattes_local(fixed: sitk.Image, moving: sitk.Image, pose: sitk.Transform, options: Options) -> Outcome:
    return Outcome(register_mattes(fixed, moving, pose), None)


METHODS: dict[str, Method] = {
    "DISA local": disa_local,
    "DISA global": disa_global,
    "Mattes local": mattes_local,
}
