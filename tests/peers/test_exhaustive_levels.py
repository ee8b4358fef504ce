# SPDX-License-Identifier: Apache-2.0
"""What docs/howto/simpleitk.md says of the exhaustive optimiser with several levels, with SimpleITK's own metric."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk


def test_a_level_does_not_begin_at_the_best_pose_of_the_one_before() -> None:
    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(40, 40, 40)).astype(np.float32))
    fixed = sitk.SmoothingRecursiveGaussian(noise, 3.0)
    moving = sitk.Resample(fixed, sitk.TranslationTransform(3, (2.0, 0.0, 0.0)))
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetOptimizerAsExhaustive([1, 1, 1], 2.0)
    method.SetOptimizerScales([1, 1, 1])
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([0, 0])
    transform = sitk.TranslationTransform(3)
    method.SetInitialTransform(transform, True)
    tried: list[tuple[int, tuple[float, ...]]] = []
    method.AddCommand(
        sitk.sitkIterationEvent,
        lambda: tried.append((method.GetCurrentLevel(), method.GetOptimizerPosition())),
    )
    method.Execute(fixed, moving)
    best = (-2.0, 0.0, 0.0)
    assert transform.GetParameters() == best  # of the last level
    first = next(position for level, position in tried if level == 1)
    assert first != tuple(place - 2.0 for place in best)
