# SPDX-License-Identifier: Apache-2.0
"""What a caller may choose of a registration by a pose."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from disa.checking import check_range, check_spacing_or_none, check_stride, check_threads, check_whole
from disa.errors import RegistrationError
from disa.network.describer import Network
from disa.pose.probe_pressure import ProbePressure

KINDS = ("translation", "rigid", "similarity", "affine", "probe")
SEARCHED_AS_RIGID = ("similarity", "affine", "probe")
"""Kinds of poses, and those whose further parameters are freed once a rigid pose is found."""

MAXIMUM_STARTS = 1_000_000
"""Some 500 bytes each."""


@dataclass(frozen=True)
class PoseOptions:
    """Of `disa.register`.

    Attributes:
        transform: translation, rigid, similarity, affine, or probe: rigid after the push of an ultrasound probe.
        probe: where the probe pushes, with transform="probe".
        spacing: voxel spacing, mm between the voxels that the network sees. None: 2 for a body, 1 for a block, see
            `voxel_spacing` of the result.
        stride: voxels between the fixed descriptors, which are what is compared: 4, 2 or 1.
        fine_spacing: voxel spacing of a last stage; None: there is none.
        model: name of a shipped model or path of an .onnx file.
        providers: ONNX Runtime execution providers, best first. None: CUDA, OpenVINO or the CPU, as is available.
        threads: of the search; 0: all that the processor runs.

    Raises:
        ImageError: a spacing is not above 0.
        RegistrationError: another option cannot be used.
    """

    transform: str = "rigid"
    probe: ProbePressure | None = None
    spacing: float | None = None
    stride: int = 4
    fine_spacing: float | None = None
    model: str | os.PathLike[str] = "disa-lc2"
    providers: Sequence[str] | None = None
    threads: int = 0

    def __post_init__(self) -> None:
        check_spacing_or_none(self.fine_spacing, "fine_spacing")
        if self.transform not in KINDS:
            raise RegistrationError(f"transform: expected one of {', '.join(KINDS)}, got {self.transform}")
        if (self.probe is not None) != (self.transform == "probe"):
            raise RegistrationError('probe: expected with transform="probe", and only with it')
        if not isinstance(self.probe, ProbePressure | None):
            raise RegistrationError(f"probe: expected a disa.ProbePressure, got {type(self.probe).__name__}")
        check_stride(self.stride)
        check_spacing_or_none(self.spacing)
        check_threads(self.threads)

    @property
    def searched(self) -> str:
        """The kind of the poses that are searched."""
        return "rigid" if self.is_freed else self.transform

    @property
    def is_freed(self) -> bool:
        """Whether further parameters are freed at the end."""
        return self.transform in SEARCHED_AS_RIGID

    @property
    def network(self) -> Network:
        """What describes the images."""
        return Network(self.model, self.providers)


@dataclass(frozen=True)
class SearchOptions(PoseOptions):
    """Of `disa.global_register`: those of `disa.register`, and what is searched.

    Attributes:
        starts: poses, the first of them the initial one.
        rotation: degrees about each axis, either way, that starts are drawn within.
        translation: mm along each axis, either way.
        seed: of the starts and the descriptors that are sampled.
    """

    starts: int = 500
    rotation: float = 40.0
    translation: float = 150.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("starts", self.starts, 1, MAXIMUM_STARTS)
        check_range("rotation", self.rotation, 180.0, "degrees")
        check_range("translation", self.translation, math.inf, "mm")
        check_whole("seed", self.seed, 0, 2**64 - 1)
        super().__post_init__()


class PoseSettings(TypedDict, total=False):
    """The fields of `PoseOptions` as keyword arguments."""

    transform: str
    probe: ProbePressure | None
    spacing: float | None
    stride: int
    fine_spacing: float | None
    model: str | os.PathLike[str]
    providers: Sequence[str] | None
    threads: int


class SearchSettings(PoseSettings, total=False):
    """The fields of `SearchOptions` as keyword arguments."""

    starts: int
    rotation: float
    translation: float
    seed: int
