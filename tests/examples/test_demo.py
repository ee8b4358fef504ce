# SPDX-License-Identifier: Apache-2.0
"""The demo's pair is registered."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

import disa
from helpers.paths import EXAMPLES


def test_the_demos_pair_is_registered_from_anywhere(tmp_path: Path) -> None:
    sys.path.insert(0, str(EXAMPLES))
    import demo

    fixed = demo.template("template")
    truth = demo.displacement(fixed)
    paths = demo.write_pair(tmp_path / "pair")
    start = sitk.Euler3DTransform(demo.centre(fixed).tolist(), 0.5, -0.4, 0.5, (-70.0, 60.0, 50.0))
    result = disa.global_register(*paths, initial_transform=start)
    found = [np.asarray(result.transform.TransformPoint(p)) for p in demo.points_inside(fixed).tolist()]
    expected = [np.asarray(truth.TransformPoint(p)) for p in demo.points_inside(fixed).tolist()]
    assert np.linalg.norm(np.subtract(found, expected), axis=1).mean() < 1.0
