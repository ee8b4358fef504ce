# SPDX-License-Identifier: Apache-2.0
"""Where poses elsewhere are about as good as the one that the start leads to, that one is kept."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.pose import refine
from disa.pose.pose import Pose
from disa.pose.workspace import Workspace
from helpers.images import structured_image

PERIOD = 48.0
"""mm along z after which the image repeats itself."""


def repeated() -> sitk.Image:
    block = sitk.GetArrayFromImage(structured_image((36, 34, 24), seed=5))
    image = sitk.GetImageFromArray(np.concatenate([block] * 4))
    image.SetSpacing((2.0, 2.0, 2.0))
    return image


@pytest.mark.parametrize("start", [2.0, -4.0])
def test_among_equals_the_one_at_the_start_is_kept(start: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wide kernel is made to lead a whole period away, where the image is the same."""
    image = repeated()
    original = refine.explore

    def lead_away(work: Workspace, pose: Pose) -> list[Pose]:
        away = work.search_about("rigid", pose.matrix, pose.offset + np.array([0.0, 0.0, PERIOD]))
        return original(work, refine.refine(work, Pose.first(away), work.schedule.ending))

    monkeypatch.setattr(refine, "explore", lead_away)
    pose = sitk.TranslationTransform(3, (0.0, 0.0, start))
    mask = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    mask.CopyInformation(image)
    mask[:, :, 36:60] = 1  # a part in the middle, which is there again a period on
    found = disa.register(image, -1.0 * image, initial_transform=pose, fixed_mask=mask, spacing=2.0).transform
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    assert np.linalg.norm(np.subtract(found.TransformPoint(middle), middle)) < 2.0


def test_a_candidate_without_overlap_does_not_end_the_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the poses that were found is made to lie far outside."""
    image = structured_image((40, 38, 36), seed=6)
    original = refine.settle

    def lose_first(work: Workspace, pose: Pose) -> Pose:
        monkeypatch.setattr(refine, "settle", original)
        away = work.search_about("rigid", pose.matrix, pose.offset + 1e3)
        lost = refine.refine(work, Pose.first(away), work.schedule.ending[-1:])
        assert lost.value == refine.NO_OVERLAP
        return lost

    monkeypatch.setattr(refine, "settle", lose_first)
    start = sitk.TranslationTransform(3, (3.0, 0.0, 0.0))
    found = disa.register(image, image, initial_transform=start, spacing=2.0)
    np.testing.assert_allclose(found.transform.TransformPoint((0.0, 0.0, 0.0)), 0.0, atol=0.5)
