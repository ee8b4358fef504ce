# SPDX-License-Identifier: Apache-2.0
"""The global search: random starts over smoothed descriptors, followed to sharp ones."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from disa.core import FeatureVolume
from disa.pose.pose import Pose, contenders, parameters_of
from disa.pose.schedule import Draw, Effort
from disa.pose.workspace import Workspace, check_overlap

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """Sparse descriptors of the moving image on some axes."""

    axes: FloatArray
    features: FeatureVolume


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
    wanted = work.parallel_axes(work.initial)
    own = nearest_axes(work.moving.grid.direction, wanted)
    apart = work.turn(own, work.initial)
    ends = _search_in(work, View(own, work.sparse_features(own)), drawn, halfway)
    if apart > schedule.far_turned or (apart > schedule.turned and not _is_clear(work, ends, own)):
        ends += _search_in(work, View(wanted, work.sparse_features(wanted)), drawn, halfway)
    check_overlap(ends, starts.count)
    for pose in contenders(work.distinct(ends), schedule.rivals):
        assert pose.axes is not None
        if work.turn(pose.axes, pose) > schedule.turned:
            axes = work.parallel_axes(pose)
            box = work.compared_box(pose, schedule.sparse.ratio * work.voxel)
            ends += _sharpen(work, View(axes, work.sparse_features(axes, box)), [pose], halfway)
    return Found(work.distinct(ends), work.distinct(halfway)[: schedule.kept])


def nearest_axes(own: FloatArray, wanted: FloatArray) -> FloatArray:
    """The axes of a grid in the order and of the signs that are nearest to wanted ones, of the wanted handedness.

    A volume on its own axes is no larger than it is; on others the box about it may be several times as large.
    """
    handedness = np.linalg.det(own) * np.linalg.det(wanted)
    candidates = (
        own[:, order] * signs
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1.0, -1.0), repeat=3)
        if np.linalg.det(np.eye(3)[:, order] * signs) * handedness > 0
    )
    return max(candidates, key=lambda axes: float(np.trace(axes.T @ wanted)))


def _search_in(work: Workspace, view: View, drawn: list[list[float]], halfway: list[Pose]) -> list[Pose]:
    """Where starts lead over a view's descriptors, less and less smooth; `halfway` as in `_sharpen`."""
    schedule = work.schedule
    with work.times.timed("search"):
        wide = work.moving.smooth(view.features, schedule.widest * work.voxel)
        ends = work.ends(work.initial.search, drawn, wide, schedule.searching, schedule.survivors)
    return _sharpen(work, view, ends, halfway)


def _sharpen(work: Workspace, view: View, poses: list[Pose], halfway: list[Pose]) -> list[Pose]:
    """Where poses lead over less and less smooth descriptors; `halfway` gets those of the smoother ones, too."""
    schedule, voxel = work.schedule, work.voxel

    def ends_over(smooth: FeatureVolume, starts: list[Pose], effort: Effort, keep: int) -> list[Pose]:
        found = work.ends(work.initial.search, parameters_of(starts), smooth, effort, keep) if starts else []
        return [replace(pose, axes=view.axes) for pose in found]

    with work.times.timed("search"):
        narrow, sharp = (work.moving.smooth(view.features, width * voxel) for width in schedule.ending)
        ends = ends_over(narrow, poses, schedule.exploring, schedule.survivors)
        halfway += ends_over(narrow, ends[: schedule.kept], schedule.refining, schedule.kept)
        ends = ends_over(sharp, ends, schedule.exploring, schedule.survivors)
        return ends_over(sharp, ends[: schedule.kept], schedule.refining, schedule.kept)


def _is_clear(work: Workspace, ends: list[Pose], axes: FloatArray) -> bool:
    """Whether the best end has no rival, and the fixed grid lies about along these axes under it."""
    ranked = work.distinct(ends)
    is_alone = len(contenders(ranked, work.schedule.rivals)) == 1
    return bool(ranked) and is_alone and work.turn(axes, ranked[0]) <= work.schedule.turned
