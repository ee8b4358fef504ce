# SPDX-License-Identifier: Apache-2.0
"""Overlap and distance of label maps."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from disa.evaluation import dice, hausdorff95


def test_dice_and_hausdorff_distance_of_a_shifted_cube() -> None:
    maps = []
    for first in (4, 6):
        values = np.zeros((20, 20, 20), np.uint8)
        values[5:15, 5:15, first : first + 10] = 3
        maps.append(sitk.GetImageFromArray(values))
        maps[-1].SetSpacing((1.5, 1.0, 1.0))
    assert dice(*maps, 3) == pytest.approx(0.8)
    assert hausdorff95(*maps, 3) == pytest.approx(3.0)  # two voxels of 1.5 mm
    assert hausdorff95(maps[0], maps[0], 3) == 0.0
    assert np.isnan(dice(*maps, 2)) and np.isnan(hausdorff95(*maps, 2))
