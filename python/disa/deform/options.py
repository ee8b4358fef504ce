# SPDX-License-Identifier: Apache-2.0
"""What a caller may choose of a deformable registration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from disa.checking import check_spacing_or_none, check_stride, check_threads, is_finite
from disa.deform.schedule import DeformSchedule
from disa.errors import RegistrationError
from disa.network.describer import Network


@dataclass(frozen=True)
class DeformOptions:
    """Of `disa.deformable_register`.

    Attributes:
        stride: voxels between descriptors: 4, 2 or 1. They are averaged over 4 voxels, so 2 and 1 are more accurate.
            With 4 the moving image goes through the network once and is not seen through the search's field; fastest.
        radius: mm, the largest displacement along each axis of the first search; rounded down to its steps.
        fold_free: a diffeomorphism by construction, the flow of a stationary velocity field that is near to what was
            found. It has no folds, and the result has its inverse.
        inverse_consistent: register from moving to fixed, too, and take the middle. The paper does not; without it the
            field contracts, for what lies inside of a body is more alike to its border than what lies outside.
        spacing: voxel spacing, mm between the voxels that the network sees. None: 2 for a body, 1 for a block, see
            `voxel_spacing` of the result.
        model: name of a shipped model or path of an .onnx file.
        providers: ONNX Runtime execution providers, best first. None: CUDA, OpenVINO or the CPU, as is available.
        threads: of the search; 0: all that the processor runs.

    Raises:
        ImageError: the spacing is not above 0.
        RegistrationError: another option cannot be used.
    """

    stride: int = 2
    radius: float = 24.0
    fold_free: bool = False
    inverse_consistent: bool = True
    spacing: float | None = None
    model: str | os.PathLike[str] = "disa-lc2"
    providers: Sequence[str] | None = None
    threads: int = 0

    def __post_init__(self) -> None:
        check_stride(self.stride)
        check_spacing_or_none(self.spacing)
        check_threads(self.threads)

    def check(self, schedule: DeformSchedule, voxel: float) -> None:
        """Raises RegistrationError where the radius is less than a step of the search for voxels of so many mm."""
        step = schedule.control_stride * voxel
        if not is_finite(self.radius) or self.radius < step:
            raise RegistrationError(
                f"radius: expected one step of the search, {step:g} mm, or more, got {self.radius} mm"
            )

    @property
    def network(self) -> Network:
        """What describes the images."""
        return Network(self.model, self.providers)


class DeformSettings(TypedDict, total=False):
    """The fields of `DeformOptions` as keyword arguments."""

    stride: int
    radius: float
    fold_free: bool
    inverse_consistent: bool
    spacing: float | None
    model: str | os.PathLike[str]
    providers: Sequence[str] | None
    threads: int
