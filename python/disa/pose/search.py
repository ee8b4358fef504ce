# SPDX-License-Identifier: Apache-2.0
"""The global search: random starts over smoothed descriptors, followed to sharp ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from disa.core import _core
from disa.pose.pose import Pose, View, contenders, parameters_of
from disa.pose.schedule import Draw, Effort
from disa.pose.workspace import Workspace, check_overlap

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        ends: distinct optima over sharp descriptors, the best first.
        optima: distinct optima halfway, where descriptors tell them apart and are smooth enough to compare.
    """

    ends: list[Pose]
    optima: list[Pose]


def search(work: Workspace, starts: Draw) -> Found:
    """Distinct optima over random starts."""
    schedule = work.schedule
    drawn = work.initial.search.draw(starts.count, starts.rotation, starts.translation, work.seed)
    halfway: list[Pose] = []
    own = work.whole.axes
    apart = work.turn(own, work.initial)
    ends = _search_in(work, work.whole, drawn, halfway)
    if apart > schedule.far_turned or (apart > schedule.turned and not _is_clear(work, ends, own)):
        ends += _search_in(work, work.whole_view(work.parallel_axes(work.initial)), drawn, halfway)
    check_overlap(ends, starts.count)
    for pose in contenders(work.distinct(ends), schedule.rivals):
        assert pose.view is not None
        if work.turn(pose.view.axes, pose) > schedule.turned:
            with work.times.timed("moving descriptors"):
                view = work.view_about(pose, schedule.sparse, work.voxel)
            ends += _sharpen(work, view, [pose], halfway)
    return Found(work.distinct(ends), work.distinct(halfway)[: schedule.kept])


def _search_in(work: Workspace, view: View, drawn: list[list[float]], halfway: list[Pose]) -> list[Pose]:
    """Where starts lead over a view's descriptors, less and less smooth; `halfway` as in `_sharpen`."""
    schedule = work.schedule
    with work.times.timed("search"):
        wide = work.terms(view, schedule.widest)
        ends = work.ends(work.initial.search, drawn, wide, schedule.searching, schedule.survivors)
    return _sharpen(work, view, ends, halfway)


def _sharpen(work: Workspace, view: View, poses: list[Pose], halfway: list[Pose]) -> list[Pose]:
    """Where poses lead over less and less smooth descriptors; `halfway` gets those of the smoother ones, too."""
    schedule = work.schedule

    def ends_over(terms: tuple[_core.Term, ...], starts: list[Pose], effort: Effort, keep: int) -> list[Pose]:
        found = work.ends(work.initial.search, parameters_of(starts), terms, effort, keep) if starts else []
        return [replace(pose, view=view) for pose in found]

    with work.times.timed("search"):
        narrow, sharp = (work.terms(view, width) for width in schedule.ending)
        ends = ends_over(narrow, poses, schedule.exploring, schedule.survivors)
        halfway += ends_over(narrow, ends[: schedule.kept], schedule.refining, schedule.kept)
        ends = ends_over(sharp, ends, schedule.exploring, schedule.survivors)
        return ends_over(sharp, ends[: schedule.kept], schedule.refining, schedule.kept)


def _is_clear(work: Workspace, ends: list[Pose], axes: FloatArray) -> bool:
    """Whether the best end has no rival, and the fixed grid lies about along these axes under it."""
    ranked = work.distinct(ends)
    is_alone = len(contenders(ranked, work.schedule.rivals)) == 1
    return bool(ranked) and is_alone and work.turn(axes, ranked[0]) <= work.schedule.turned
