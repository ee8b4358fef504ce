# SPDX-License-Identifier: Apache-2.0
"""From a pose that is about right to the end: re-orientation, refinement, the parameters that were not searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from disa.core import _core
from disa.pose.pose import Pose, contenders, parameters_of
from disa.pose.workspace import Workspace

FloatArray = npt.NDArray[np.float64]


def best_of(work: Workspace, optima: list[Pose]) -> Pose:
    """The best pose once the optima that may turn out best are re-oriented, explored and refined."""
    schedule = work.schedule
    explored: list[Pose] = []
    for pose in contenders(optima, schedule.contenders):
        if all(work.distance(pose, other) > schedule.explored.translation for other in explored):
            explored += explore(work, refine(work, pose, schedule.ending))
    explored.sort(key=lambda pose: pose.value)
    settled = (settle(work, pose) for pose in contenders(explored, schedule.finalists))
    return min(settled, key=lambda pose: pose.value)


def settle(work: Workspace, pose: Pose) -> Pose:
    """The last step over descriptors extracted for this pose, if it has left those that it was found over.

    A pose that has turned far from them looks about itself over the new ones and may turn on: every grid prefers poses
    near the one that it was made for, and along a ridge that is the only way to the top.
    """
    schedule = work.schedule
    for _ in range(schedule.rounds):
        assert pose.axes is not None
        turn = work.turn(pose.axes, pose)
        if not pose.has_moved and turn <= schedule.reorientation:
            break
        pose = refine(work, pose, schedule.ending[-1:])
        if turn <= schedule.drifting:
            break
        pose = explore(work, pose)[0]
    return pose


def explore(work: Workspace, pose: Pose) -> list[Pose]:
    """Distinct optima about a refined pose, over its moving descriptors, the best first."""
    assert pose.moving is not None
    schedule, about = work.schedule, work.schedule.explored
    search = _core.PoseSearch(work.features, work.options.searched, *pose.search.map(pose.parameters))
    with work.times.timed("refinement"):
        starts = search.draw(about.count, about.rotation, about.translation, work.seed)
        ends = work.optimize(search, starts, pose.moving, schedule.exploring)
        ends = work.optimize(search, parameters_of(ends), pose.moving, schedule.refining)
    return [
        replace(
            end,
            axes=pose.axes,
            moving=pose.moving,
            has_moved=work.distance(end, pose) > schedule.distinct,
            trace=(*pose.trace, *end.trace),
        )
        for end in ends
    ]


def refine(work: Workspace, pose: Pose, widths: Sequence[float], voxel: float | None = None) -> Pose:
    """Optimise over dense moving descriptors that are parallel to the fixed ones, less and less smooth.

    Args:
        work: the registration.
        pose: to start from.
        widths: of each step's kernel, fixed voxels.
        voxel: mm between fixed voxels; the registration's voxel spacing if None.
    """
    voxel = voxel or work.voxel
    dense = work.schedule.dense
    axes: FloatArray | None = None
    for width in widths:
        with work.times.timed("re-oriented descriptors"):
            if axes is None or work.has_turned(pose, axes):
                axes = work.parallel_axes(pose)
                box = work.compared_box(pose, dense.ratio * voxel)
                features = work.moving.moving_features(dense.ratio * voxel, dense.stride, axes, box)
            smooth = work.moving.smooth(features, width * voxel) if width > 0 else features
        with work.times.timed("refinement"):
            end = work.optimize(pose.search, [pose.parameters], smooth, work.schedule.refining)[0]
            pose = replace(end, axes=axes, moving=smooth, trace=(*pose.trace, *end.trace))
    return pose


def refine_initial(work: Workspace) -> Pose:
    """The initial pose through all widths, the first of them over the whole moving image, and the best about it."""
    features = work.sparse_features(work.parallel_axes(work.initial))
    with work.times.timed("search"):
        wide = work.moving.smooth(features, work.schedule.widest * work.voxel)
        start = [work.initial.parameters]
        pose = work.optimize(work.initial.search, start, wide, work.schedule.refining)[0]
    return best_of(work, [pose])


def complete(work: Workspace, best: Pose) -> Pose:
    """The pose with what was not searched for freed, refined at the finer voxel spacing if there is to be one."""
    options, schedule = work.options, work.schedule
    if options.is_freed:
        best = free(work, best)
    if options.fine_spacing is not None and work.fixed.can_reorient:
        with work.times.timed("fixed descriptors"):
            work.features = work.fixed.fixed_features(options.fine_spacing, options.stride)
        return free(work, best, options.fine_spacing)
    if best.axes is not None and work.has_turned(best, best.axes):
        best = refine(work, best, (schedule.freed_ending if options.is_freed else schedule.ending)[-1:])
    return best


def free(work: Workspace, pose: Pose, voxel: float | None = None) -> Pose:
    """Refine a pose with all parameters that were asked for, over the present fixed descriptors."""
    linear = pose.search.map(pose.parameters)
    probe = work.options.probe
    if probe is None:
        start = Pose.first(_core.PoseSearch(work.features, work.options.transform, *linear))
    else:
        search = _core.PoseSearch(work.features, "rigid", *linear, probe.compiled)
        pressure = pressure_of(work, pose) or (0.0, 0.0)
        start = Pose(search, [*Pose.first(search).parameters[:-2], *pressure])
    start = replace(start, trace=pose.trace)
    ending = work.schedule.freed_ending if work.options.is_freed else work.schedule.ending
    return refine(work, start, ending, voxel)


def pressure_of(work: Workspace, pose: Pose) -> tuple[float, float] | None:
    """p1 and p2, if the pose has them."""
    rigid = 6
    has_them = work.options.probe is not None and len(pose.parameters) > rigid
    return (pose.parameters[-2], pose.parameters[-1]) if has_them else None
