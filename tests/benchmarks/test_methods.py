# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from helpers.images import structured_image

pytest.importorskip("scipy")

from geometry import sample_points, turned
from methods import NEAR_METHODS, Options
from pairs import Pair


@pytest.mark.parametrize("network", ["DISA", "MIND-SSC"])
def test_the_affine_methods_of_table_1_follow_a_scale_that_no_rigid_pose_can(network: str) -> None:
    fixed = structured_image()
    points = sample_points(fixed)
    scale = sitk.AffineTransform((1.08 * np.eye(3)).ravel().tolist(), (0.0, 0.0, 0.0), points.mean(axis=0).tolist())
    moving = turned(sitk.Resample(fixed, fixed, scale.GetInverse()), np.random.default_rng(0))
    targets = np.asarray([scale.TransformPoint(point) for point in points.tolist()])
    pair = Pair(fixed, moving, None, None, points, targets, truth=sitk.Euler3DTransform())
    start = sitk.Euler3DTransform(points.mean(axis=0).tolist(), 0.05, -0.03, 0.04, (5.0, -4.0, 3.0))
    found = NEAR_METHODS[f"{network} near, affine"](pair, start, Options("disa-lc2", starts=4, threads=1)).transform
    assert pair.error(found) < 0.5 * pair.error(pair.truth)
