# SPDX-License-Identifier: Apache-2.0
"""Similarities of one's own, for the training settings to name."""

from __future__ import annotations

import torch
import torch.distributed as dist

from disa.errors import TrainingError
from disa.training.targets.patches import PatchSet


class Same:
    """Minus one where means differ, else one; small, coarse, and of no use."""

    radius = 1
    range = (-1.0, 1.0)
    reads_gradient = False
    sees_sign = True

    def __call__(self, source: PatchSet, target: PatchSet) -> torch.Tensor:
        assert source.gradient is None
        assert source.intensity.shape[2:] == (3, 3, 3)
        a, b = (patches.intensity.flatten(2).mean(-1) for patches in (source, target))
        return 1 - 2 * ((a[:, :, None] - b[:, None]).abs() > 0.5).float()


SAME = Same()
TOO_WIDE = Same()
TOO_WIDE.range = (0.0, 10.0)


class _Failing:
    radius, range, reads_gradient, sees_sign = 1, (0.0, 1.0), False, False

    def __call__(self, source: object, target: object) -> torch.Tensor:
        if dist.get_rank() == 0:
            raise TrainingError("the disk of process 0 is full")
        return torch.zeros(1, 8, 8)


Failing = _Failing()
