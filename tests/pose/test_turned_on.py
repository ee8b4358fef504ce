# SPDX-License-Identifier: Apache-2.0
"""A pose that is turned, over descriptors that were extracted for it, is led on by its unsmoothed descriptors."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from disa.features.side import open_sides
from disa.pose.options import PoseOptions
from disa.pose.pose import Pose
from disa.pose.refine import refine, turned_on
from disa.pose.schedule import SCHEDULE
from disa.pose.workspace import Workspace
from helpers.displaced import TRUTH, displaced_images, error_of


def settled(turn: float) -> tuple[Workspace, Pose, list[float]]:
    """A pose turned by some radians from the truth, its value over descriptors of its own; and the centre."""
    fixed, moving, centre = displaced_images()
    pose = sitk.Euler3DTransform(centre, *TRUTH[:2], TRUTH[2] + turn, TRUTH[3:])
    options = PoseOptions(spacing=2.0)
    work = Workspace(open_sides(fixed, moving, (None, None), options.network), pose, options, SCHEDULE)
    view = work.view_about(work.initial, SCHEDULE.dense, work.voxel)
    terms = work.terms(view, SCHEDULE.ending[-1])
    value = work.initial.search.evaluate(work.initial.parameters, terms)[0]
    return work, Pose(work.initial.search, work.initial.parameters, value, view=view, terms=terms), centre


def test_a_turned_pose_is_led_on() -> None:
    work, pose, centre = settled(0.35)
    before = error_of(pose.transform, centre)
    found = turned_on(work, pose)
    assert found is not None
    assert before > 8
    assert error_of(found.transform, centre) < 1.5
    assert found.value < pose.value


def test_the_right_pose_stays() -> None:
    work, pose, _ = settled(0.0)
    assert turned_on(work, refine(work, pose, SCHEDULE.ending[-1:])) is None
    assert np.isfinite(pose.value)
