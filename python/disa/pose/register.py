# SPDX-License-Identifier: Apache-2.0
"""Registration by a pose in one call: global search over random starts, or local from one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import SimpleITK as sitk

from disa.checking import changed
from disa.core import FeatureVolume
from disa.features.side import Side, open_sides
from disa.features.weights import overlap
from disa.io.images import ImageLike
from disa.pose.evidence import evidence_of
from disa.pose.options import PoseOptions, PoseSettings, SearchOptions, SearchSettings
from disa.pose.pose import Pose
from disa.pose.refine import best_of, complete, pressure_of, refine_initial
from disa.pose.result import Optimum, RegistrationResult
from disa.pose.schedule import SCHEDULE, Draw, Schedule
from disa.pose.search import search
from disa.pose.workspace import Workspace
from disa.timing import StageTimes

if TYPE_CHECKING:
    from typing_extensions import Unpack


def global_register(
    fixed: ImageLike | FeatureVolume,
    moving: ImageLike | FeatureVolume,
    *,
    initial_transform: sitk.Transform | None = None,
    fixed_mask: ImageLike | None = None,
    moving_mask: ImageLike | None = None,
    options: SearchOptions | None = None,
    schedule: Schedule = SCHEDULE,
    **settings: Unpack[SearchSettings],
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
        fixed_mask: image or path; only descriptors where it is not 0 are compared. If all beyond it is of one value, as
            beyond an ultrasound sector, and the moving image does not end at a mask of its own, the network sees the
            image continued there.
        moving_mask: image or path; descriptors where it is 0 count as outside of the moving image. Likewise.
        options: what is searched, and how images are described; None: `SearchOptions()`.
        schedule: kernels, efforts and thresholds of the stages.
        settings: fields of `SearchOptions` by name, in place of those of `options`: `starts=100, spacing=1.0`.

    Raises:
        ImageError: an image, mask or spacing cannot be used.
        ModelError: the model or ONNX Runtime is missing or does not fit.
        RegistrationError: an option cannot be used, nothing overlaps, or a mask leaves nothing.
        TypeError: there is no option of that name.

    Source: DISA paper, sections 3 and 4.3.
    """
    chosen = changed(options or SearchOptions(), settings, "global_register")
    times = StageTimes()
    with times.timed("fixed descriptors"):
        sides = open_sides(fixed, moving, (fixed_mask, moving_mask), chosen.network)
    return global_register_sides(sides, initial_transform, chosen, schedule, times)


def register(
    fixed: ImageLike | FeatureVolume,
    moving: ImageLike | FeatureVolume,
    *,
    initial_transform: sitk.Transform | None = None,
    fixed_mask: ImageLike | None = None,
    moving_mask: ImageLike | None = None,
    options: PoseOptions | None = None,
    schedule: Schedule = SCHEDULE,
    **settings: Unpack[PoseSettings],
) -> RegistrationResult:
    """Register from one start, by the stages that end `global_register`.

    The pose that the start leads to is compared with those within some 30 degrees and 30 mm of it, for along a limb one
    is almost like the next.

    Args and errors are those of `global_register`, options those of `PoseOptions`; `optima` of the result holds the one
    pose.
    """
    chosen = changed(options or PoseOptions(), settings, "register")
    times = StageTimes()
    with times.timed("fixed descriptors"):
        sides = open_sides(fixed, moving, (fixed_mask, moving_mask), chosen.network)
    return register_sides(sides, initial_transform, chosen, schedule, times)


def global_register_sides(
    sides: tuple[Side, Side],
    initial_transform: sitk.Transform | None,
    options: SearchOptions,
    schedule: Schedule = SCHEDULE,
    times: StageTimes | None = None,
) -> RegistrationResult:
    """`global_register` of two sides, described by whatever they say."""
    work = Workspace(sides, initial_transform, options, schedule, seed=options.seed, is_global=True, times=times)
    found = search(work, Draw(options.starts, options.rotation, options.translation))
    best = best_of(work, found.ends)
    return _finish(work, best, found.optima, _as_searched(work, best, found.optima))


def register_sides(
    sides: tuple[Side, Side],
    initial_transform: sitk.Transform | None,
    options: PoseOptions,
    schedule: Schedule = SCHEDULE,
    times: StageTimes | None = None,
) -> RegistrationResult:
    """`register` of two sides, described by whatever they say."""
    work = Workspace(sides, initial_transform, options, schedule, times=times)
    best = refine_initial(work)
    return _finish(work, best, [best])


def _finish(work: Workspace, best: Pose, optima: list[Pose], search_value: float | None = None) -> RegistrationResult:
    """What is left to be done, and all that is known of the result."""
    rival, best = best.rival, complete(work, best)
    evidence = evidence_of(work, best, rival)
    pressure, probe = pressure_of(work, best), work.options.probe
    transform = best.transform
    if probe is not None and pressure is not None:
        push = probe.transform(*pressure, work.fixed.grid.corners, work.fixed.grid.direction)
        transform = sitk.CompositeTransform([transform, push])
    return RegistrationResult(
        transform=transform,
        value=best.value,
        overlap=overlap(work.features, work.moving.inside, transform),
        optima=tuple(Optimum(pose.transform, pose.value) for pose in optima),
        evaluations=work.evaluations,
        voxel_spacing=work.voxel,
        times=dict(work.times),
        pressure=pressure,
        trace=best.trace,
        evidence=evidence,
        search_value=search_value,
    )


def _as_searched(work: Workspace, pose: Pose, optima: list[Pose]) -> float | None:
    """A refined pose's value over the descriptors that the optima have theirs of, the best of several views."""
    views = {id(optimum.view): optimum.view for optimum in optima if optimum.view is not None}
    width = work.schedule.ending[0]
    values = (pose.search.evaluate(pose.parameters, work.terms(view, width))[0] for view in views.values())
    return min(values, default=None)
