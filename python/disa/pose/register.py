"""Registration in one call: global search over random starts, or local from one."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import SimpleITK as sitk

from disa.checking import check_range, check_whole
from disa.core import FeatureVolume
from disa.features.extract import check_spacing
from disa.io.images import ImageLike
from disa.pose.probe_pressure import ProbePressure
from disa.pose.result import RegistrationResult
from disa.pose.task import FIXED_STRIDE, Task

MAXIMUM_STARTS = 1_000_000
"""Some 500 bytes each."""


def global_register(
    fixed: ImageLike | FeatureVolume,
    moving: ImageLike | FeatureVolume,
    *,
    initial_transform: sitk.Transform | None = None,
    transform: str = "rigid",
    starts: int = 500,
    rotation: float = 40.0,
    translation: float = 150.0,
    seed: int = 0,
    probe: ProbePressure | None = None,
    fixed_mask: ImageLike | None = None,
    moving_mask: ImageLike | None = None,
    model: str | os.PathLike[str] = "disa-lc2",
    spacing: float = 2.0,
    stride: int = FIXED_STRIDE,
    fine_spacing: float | None = None,
    providers: Sequence[str] | None = None,
    threads: int = 0,
) -> RegistrationResult:
    """Register from no good start: many random poses, each optimised, the best ones refined.

    Every start is optimised by BFGS with the analytic derivative over a few hundred fixed descriptors and smoothed
    moving ones, and the best distinct ends again over less and less smooth ones, along the fixed image's axes too where
    the moving image's own are turned far from them. The best is then re-oriented (denser
    moving descriptors are extracted on a grid parallel to the fixed one under that pose) and refined over all fixed
    descriptors, also from a hundred poses about it; where optima are close, each is re-oriented and refined, and the
    best is returned. The result is the same for a seed, whatever the number of threads.

    Args:
        fixed: SimpleITK image, ITK image, path, or its descriptors (int8).
        moving: the same. Descriptors that are given cannot be re-oriented, which costs accuracy.
        initial_transform: linear, from fixed to moving points; the starts lie about it. None: centre on centre.
        transform: translation, rigid, similarity, affine, or probe: rigid after the push of an ultrasound probe.
        starts: poses, the first of them the initial one.
        rotation: degrees about each axis, either way, that starts are drawn within.
        translation: mm along each axis, either way.
        seed: of the starts and the descriptors that are sampled.
        probe: where the probe pushes, with transform="probe".
        fixed_mask: image or path; only descriptors where it is not 0 are compared. If all beyond it is of one value, as
            beyond an ultrasound sector, and the moving image does not end at a mask of its own, the network sees the
            image continued there.
        moving_mask: image or path; descriptors where it is 0 count as outside of the moving image. Likewise.
        model: name of a shipped model or path of an .onnx file.
        spacing: mm between the voxels that the network sees.
        stride: voxels between the fixed descriptors, which are what is compared: 4, 2 or 1.
        fine_spacing: of a last stage; None: there is none.
        providers: ONNX Runtime execution providers, best first. None: CUDA, OpenVINO or the CPU, as is available.
        threads: of the search; 0: all that the processor runs.

    Raises:
        ImageError: an image, mask or spacing cannot be used.
        ModelError: the model or ONNX Runtime is missing or does not fit.
        RegistrationError: an option cannot be used, nothing overlaps, or a mask leaves nothing.

    Source: DISA paper, sections 3 and 4.3.
    """
    check_whole("starts", starts, 1, MAXIMUM_STARTS)
    check_range("rotation", rotation, 180.0, "degrees")
    check_range("translation", translation, math.inf, "mm")
    check_whole("seed", seed, 0, 2**64 - 1)
    _check_fine_spacing(fine_spacing)
    task = Task.open(
        fixed,
        moving,
        initial_transform,
        transform,
        seed,
        probe,
        fixed_mask,
        moving_mask,
        model,
        spacing,
        stride,
        providers,
        threads,
    )
    optima = task.search(starts, rotation, translation)
    return task.finish(task.best_of(optima), fine_spacing)


def register(
    fixed: ImageLike | FeatureVolume,
    moving: ImageLike | FeatureVolume,
    *,
    initial_transform: sitk.Transform | None = None,
    transform: str = "rigid",
    probe: ProbePressure | None = None,
    fixed_mask: ImageLike | None = None,
    moving_mask: ImageLike | None = None,
    model: str | os.PathLike[str] = "disa-lc2",
    spacing: float = 2.0,
    stride: int = FIXED_STRIDE,
    fine_spacing: float | None = None,
    providers: Sequence[str] | None = None,
    threads: int = 0,
) -> RegistrationResult:
    """Register from one start, by the stages that end `global_register`.

    The pose that the start leads to is compared with those within some 30 degrees and 30 mm of it, for along a limb one
    is almost like the next.

    Args and errors are those of `global_register`; `optima` of the result holds the one pose.
    """
    _check_fine_spacing(fine_spacing)
    task = Task.open(
        fixed,
        moving,
        initial_transform,
        transform,
        0,
        probe,
        fixed_mask,
        moving_mask,
        model,
        spacing,
        stride,
        providers,
        threads,
    )
    return task.finish(task.refine_initial(), fine_spacing)


def _check_fine_spacing(spacing: float | None) -> None:
    if spacing is not None:
        check_spacing(spacing, "fine_spacing")
