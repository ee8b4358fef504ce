# SPDX-License-Identifier: Apache-2.0
"""What one pose gains over another, and how sure that is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from disa.features.side import open_sides
from disa.pose.certainty import gain
from disa.pose.options import PoseOptions
from disa.pose.pose import Pose
from disa.pose.refine import is_surely_better
from disa.pose.schedule import SCHEDULE
from disa.pose.workspace import Workspace
from helpers.images import structured_image

SIZE = (64, 60, 56)


def poses(fixed: sitk.Image, moving: sitk.Image, *shifts: float) -> tuple[Workspace, list[Pose]]:
    """Poses that are so many mm off along x, over descriptors of the first."""
    options = PoseOptions(spacing=2.0, threads=1)
    start = sitk.TranslationTransform(3, (shifts[0], 0.0, 0.0))
    work = Workspace(open_sides(fixed, moving, (None, None), options.network), start, options, SCHEDULE)
    view = work.view_about(work.initial, SCHEDULE.dense, work.voxel)
    terms = work.terms(view, SCHEDULE.ending[-1])
    found = []
    for shift in shifts:
        offset = work.initial.offset + np.array([shift - shifts[0], 0.0, 0.0])
        pose = Pose.first(work.search_about("rigid", work.initial.matrix, offset))
        value = pose.search.evaluate(pose.parameters, terms)[0]
        found.append(replace(pose, value=value, view=view, terms=terms))
    return work, found


def test_the_gain_is_the_difference_of_the_values() -> None:
    image = structured_image(SIZE, seed=4)
    work, (right, wrong) = poses(image, -1.0 * image, 0.0, 17.0)
    found = gain(work, right, wrong)
    assert found.value == pytest.approx(wrong.value - right.value, abs=1e-5)
    assert found.value > 4 * found.deviation
    assert is_surely_better(work, right, wrong)
    assert not is_surely_better(work, wrong, right)


def test_the_deviation_is_that_of_gains_between_images_that_have_nothing_in_common() -> None:
    """Their gains have a mean of 0. Over sixteen pairs a deviation is known to about a sixth."""
    seen = []
    for seed in range(16):
        fixed, moving = structured_image(SIZE, seed=seed), structured_image(SIZE, seed=100 + seed)
        work, (one, other) = poses(fixed, moving, 0.0, 22.0)
        found = gain(work, one, other)
        seen.append(found.value / found.deviation)
    assert 0.6 < np.sqrt(np.mean(np.square(seen))) < 1.6
