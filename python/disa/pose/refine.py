# SPDX-License-Identifier: Apache-2.0
"""From a pose that is about right to the end: re-orientation, refinement, the parameters that were not searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from disa.pose.certainty import gain
from disa.pose.pose import Pose, contenders, parameters_of
from disa.pose.workspace import Workspace, check_overlap

NO_OVERLAP = 0.0
"""Value of a pose under which the images have nothing in common."""


def best_of(work: Workspace, optima: list[Pose], start: Pose | None = None) -> Pose:
    """The best pose once the optima that may turn out best are re-oriented, explored and refined.

    Its rival is the best pose that was found elsewhere by then. Where the start alone leads to a pose that is not
    surely worse than the best, that one is taken: a mask or a slab may leave so little that values do not tell poses
    apart.
    """
    schedule = work.schedule
    explored: list[Pose] = []
    for pose in contenders(optima, schedule.contenders):
        if all(work.distance(pose, other) > schedule.explored.translation for other in explored):
            explored += explore(work, refine(work, pose, schedule.ending))
    home = None if start is None else refine(work, start, schedule.ending[-1:])
    if start is not None and work.distance(start, min(explored, key=lambda pose: pose.value)) > schedule.apart:
        explored += explore(work, refine(work, start, schedule.ending))
    explored.sort(key=lambda pose: pose.value)
    settled = [settle(work, pose) for pose in contenders(explored, schedule.finalists)]
    best = min(settled, key=lambda pose: pose.value)
    check_overlap([pose for pose in (best, home) if pose is not None and pose.value != NO_OVERLAP], 1)
    if home is not None and home.value < 0.0 and work.distance(home, best) > schedule.distinct:
        at_home = min((home, *_about(work, home, settled)), key=lambda pose: pose.value)
        if not is_surely_better(work, best, at_home):
            best = at_home
    return replace(best, rival=_rival(work, best, explored))


def _about(work: Workspace, home: Pose, poses: list[Pose]) -> list[Pose]:
    """Those that are the same pose as one."""
    return [pose for pose in poses if work.distance(home, pose) <= work.schedule.distinct]


def is_surely_better(work: Workspace, pose: Pose, home: Pose) -> bool:
    """Whether a pose is to be left for another: by enough of the value, and by more than chance gives."""
    schedule = work.schedule
    if pose.value > home.value - schedule.resolution:
        return False
    found = gain(work, pose, home)
    return found.value > schedule.certainty * found.deviation


def _rival(work: Workspace, best: Pose, explored: list[Pose]) -> float:
    """Value of the best of some poses, the best first, that lies apart from the one that is taken, by that one's."""
    apart = (pose.value for pose in explored if work.distance(pose, best) > work.schedule.apart)
    return max(0.0, next(apart, 0.0) / best.value) if best.value < 0 else 1.0


def settle(work: Workspace, pose: Pose) -> Pose:
    """The last step over descriptors extracted for this pose, if it has left those that it was found over.

    A pose that has turned far from them looks about itself over the new ones and may turn on: every grid prefers poses
    near the one that it was made for, and along a ridge that is the only way to the top.
    """
    schedule = work.schedule
    for _ in range(schedule.rounds):
        assert pose.view is not None
        turn = work.turn(pose.view.axes, pose)
        if not pose.has_moved and turn <= schedule.reorientation:
            break
        pose = refine(work, pose, schedule.ending[-1:])
        if turn <= schedule.drifting:
            break
        pose = explore(work, pose)[0]
    assert pose.view is not None
    if pose.has_moved or work.has_turned(pose, pose.view.axes):  # or its value would be that of other descriptors
        pose = refine(work, pose, schedule.ending[-1:])
    for _ in range(schedule.rounds):
        turned = turned_on(work, pose)
        if turned is None:
            break
        pose = turned
    return pose


def turned_on(work: Workspace, pose: Pose) -> Pose | None:
    """A better pose that the sharp descriptors point to, turned from this one; None: there is none.

    Descriptors do not turn with the pose, so over those of a pose that is turned about a limb's axis that pose is the
    best one. Unsmoothed they still lean towards the right turn, and those extracted there lead on.
    """
    schedule, about = work.schedule, work.schedule.sharply_explored
    if pose.view is None or not work.moving.can_reorient:
        return None
    search = work.search_about(work.options.searched, pose.matrix, pose.offset)
    with work.times.timed("refinement"):
        sharp = work.terms(pose.view, 0.0)
        starts = search.draw(about.count, about.rotation, about.translation, work.seed)
        ends = work.ends(search, starts, sharp, schedule.exploring)
        ends = work.ends(search, parameters_of(ends), sharp, schedule.refining) if ends else []
    if not ends or work.turn_between(ends[0], pose) <= schedule.drifting:
        return None
    there = replace(ends[0], view=pose.view, has_moved=True, trace=(*pose.trace, *ends[0].trace))
    refined = refine(work, there, schedule.ending[-1:])
    return refined if refined.value < pose.value - schedule.gain else None


def explore(work: Workspace, pose: Pose) -> list[Pose]:
    """Distinct optima about a refined pose, over its moving descriptors, the best first."""
    schedule, about = work.schedule, work.schedule.explored
    search = work.search_about(work.options.searched, pose.matrix, pose.offset)
    with work.times.timed("refinement"):
        starts = search.draw(about.count, about.rotation, about.translation, work.seed)
        ends = work.ends(search, starts, pose.terms, schedule.exploring)
        ends = work.ends(search, parameters_of(ends), pose.terms, schedule.refining) if ends else []
    return [
        replace(
            end,
            view=pose.view,
            has_moved=work.distance(end, pose) > schedule.distinct,
            trace=(*pose.trace, *end.trace),
        )
        for end in ends
    ] or [pose]


def refine(work: Workspace, pose: Pose, widths: Sequence[float], voxel: float | None = None) -> Pose:
    """Optimise over dense moving descriptors that are parallel to the fixed ones, less and less smooth.

    Where nothing overlaps over these, the pose has that value and stays.

    Args:
        work: the registration.
        pose: to start from.
        widths: of each step's kernel, fixed voxels.
        voxel: mm between fixed voxels; the registration's voxel spacing if None.
    """
    voxel = voxel or work.voxel
    dense = work.schedule.dense
    view = None if pose.has_moved or pose.view is None or not work.fits(pose.view, voxel) else pose.view
    for width in widths:
        with work.times.timed("re-oriented descriptors"):
            if view is None or work.has_turned(pose, view.axes):
                view = work.view_about(pose, dense, voxel)
            terms = work.terms(view, width)
        with work.times.timed("refinement"):
            ends = work.ends(pose.search, [pose.parameters], terms, work.schedule.refining)
        if not ends:
            return replace(pose, value=NO_OVERLAP, view=view, terms=terms)
        pose = replace(ends[0], view=view, trace=(*pose.trace, *ends[0].trace))
    return pose


def refine_initial(work: Workspace) -> Pose:
    """The initial pose through all widths, the first of them over the whole moving image, and the best about it.

    The widest kernel may lead away from an initial pose that is right, as it does under a mask; so the pose itself is
    tried, too.
    """
    with work.times.timed("search"):
        wide = work.terms(work.whole, work.schedule.widest)
        start = [work.initial.parameters]
        pose = work.optimize(work.initial.search, start, wide, work.schedule.refining)[0]
    return best_of(work, [pose], work.initial)


def complete(work: Workspace, best: Pose) -> Pose:
    """The pose with what was not searched for freed, refined at the finer voxel spacing if there is to be one."""
    options = work.options
    if options.is_freed:
        best = free(work, best)
    if options.fine_spacing is not None and work.fixed.can_reorient:
        with work.times.timed("fixed descriptors"):
            work.describe_fixed(options.fine_spacing)
        best = free(work, best, options.fine_spacing)
    return finish(work, best)


def finish(work: Workspace, pose: Pose) -> Pose:
    """Where neither image is contained in the other, the pose over the samples that lie well inside of both.

    It is taken only where the whole metric agrees with it: few samples, as a mask may leave, may lead anywhere. The
    value is that of the whole metric, under the last of the kernels.
    """
    first = _valued(work, _viewed(work, pose))
    inside = _inside(work, first)
    if inside is first:
        return first
    last = _valued(work, _viewed(work, inside))
    return last if last.value <= work.schedule.agreed * first.value else first


def _viewed(work: Workspace, pose: Pose) -> Pose:
    """The pose with descriptors of its own."""
    if pose.view is not None and not pose.has_moved and not work.has_turned(pose, pose.view.axes):
        return pose
    with work.times.timed("re-oriented descriptors"):
        view = work.view_about(pose, work.schedule.dense, work.described.voxel)
    return replace(pose, view=view, has_moved=False)


def _valued(work: Workspace, pose: Pose) -> Pose:
    """The pose with its value under the last of the kernels."""
    assert pose.view is not None
    terms = work.terms(pose.view, work.schedule.ending[-1])
    value = pose.search.evaluate(pose.parameters, terms)[0]
    return replace(pose, terms=terms, value=value, trace=(*pose.trace, (value,)))


def _inside(work: Workspace, pose: Pose) -> Pose:
    """The pose after some rounds over the samples that lie well inside of both images; as it is if one is contained."""
    schedule = work.schedule
    for _ in range(schedule.last_rounds):
        view = _viewed(work, pose).view
        assert view is not None
        with work.times.timed("re-oriented descriptors"):
            is_contained = max(work.overlaps(view, pose)) >= schedule.contained
            terms = () if is_contained else work.terms_inside(view, pose)
        if not terms:
            break
        with work.times.timed("refinement"):
            end = work.optimize(pose.search, [pose.parameters], terms, schedule.refining)[0]
        step = work.distance(end, pose)
        pose = replace(end, view=view, trace=(*pose.trace, *end.trace))
        if step < schedule.at_rest:
            break
    return pose


def free(work: Workspace, pose: Pose, voxel: float | None = None) -> Pose:
    """Refine a pose with all parameters that were asked for, over the present fixed descriptors."""
    probe = work.options.probe
    if probe is None:
        start = Pose.first(work.search_about(work.options.transform, pose.matrix, pose.offset))
    else:
        search = work.search_about("rigid", pose.matrix, pose.offset, probe.compiled)
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
