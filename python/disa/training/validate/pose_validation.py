# SPDX-License-Identifier: Apache-2.0
"""How well the metric tells right from displaced poses on volumes that were not trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from disa.training.config import TrainingConfig
from disa.training.data.volumes import Volume
from disa.training.learning.error import Form, crop_values
from disa.training.learning.pose_error import comparable, pose_error
from disa.training.model.network import DISANet
from disa.training.sampling.compare import make_batch
from disa.training.sampling.pairs import PairSampler
from disa.training.targets.similarity import find_similarity

SEED = 20260102
#: Of crops, whatever training draws, so that runs can be compared; a volume is too easily told from itself.
REMAP_SHARE = 0.5


class PoseCondition(NamedTuple):
    """Which poses the right one is told from, and how smooth descriptors are.

    Attributes:
        name: column of the log.
        nearest, farthest: displacements in voxels, see `TrainingConfig`.
        width: of the smoothing, voxels.
    """

    name: str
    nearest: float
    farthest: float
    width: float


#: As where a registration ends, and as where a search begins.
POSE_CONDITIONS = (PoseCondition("near", 0.5, 10.0, 0.0), PoseCondition("far", 8.0, 30.0, 12.0))


class PoseScore(NamedTuple):
    """Over pairs whose right pose is known.

    Attributes:
        error: cross-entropy of the poses with the right one; the logarithm of their number is chance.
        accuracy: share of pairs whose right pose has the highest value.
    """

    error: float
    accuracy: float


def pose_validation_config(config: TrainingConfig, condition: PoseCondition) -> TrainingConfig:
    """The training settings with pairs whose right pose is known, half of them volumes with themselves."""
    return config.changed(
        aligned_share=0.5,
        self_share=0.5,
        positions=1,
        unshifted_share=0.0,
        remap_share=REMAP_SHARE,
        pose_weight=1.0,
        min_displacement=condition.nearest,
        max_displacement=condition.farthest,
        smoothings=[condition.width],
        poses=64,
        pose_temperature=0.01,
    )


@torch.no_grad()
def validate_poses(
    network: DISANet, volumes: list[Volume], config: TrainingConfig, batches: int
) -> dict[str, PoseScore]:
    """Score a stride-4 network under every condition, always on the same poses of the same pairs.

    The state of torch's random numbers is as before when this returns.
    """
    device = volumes[0].data.device
    extent = find_similarity(config.similarity).range
    scores = {}
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for condition in POSE_CONDITIONS:
            torch.manual_seed(SEED)
            settings = pose_validation_config(config, condition)
            form = Form.of(settings, extent, torch.float32)
            sampler = PairSampler(volumes, settings, np.random.default_rng(SEED))
            error, right, count = 0.0, 0, 0
            for _ in range(batches):
                batch = make_batch([sampler.draw() for _ in range(config.batch_pairs)], settings, augment=True)
                draw = batch.poses
                assert draw is not None
                values = crop_values(batch.fixed, batch.moving, draw, network, form)
                valid = comparable(draw)
                error += float(pose_error(values, draw, form.pose_temperature)) * int(valid.sum())
                right += int(((values.argmax(-1) == 0) & valid).sum())
                count += int(valid.sum())
            scores[condition.name] = PoseScore(error / max(count, 1), right / max(count, 1))
    return scores
