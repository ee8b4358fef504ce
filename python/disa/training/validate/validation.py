# SPDX-License-Identifier: Apache-2.0
"""Errors against the similarity on volumes that were not trained on."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch

from disa.training.config import TrainingConfig
from disa.training.data.volumes import Volume
from disa.training.learning.balance import BinStatistics
from disa.training.model.network import DISANet, shared_network
from disa.training.sampling.compare import make_batch, predict
from disa.training.sampling.pairs import PairSampler
from disa.training.targets.similarity import find_similarity

SEED = 20260101
#: Of positions, whatever training draws, so that runs can be compared.
WEIGHTED_SHARE = 0.6


@dataclass(frozen=True)
class Condition:
    """How the two descriptor grids lie to each other.

    Attributes:
        name: column of the log.
        max_turn: degrees between the grids.
        max_shift: voxels between the grids.
        on_cells: share of positions on cells of both grids.
        moving_stride: stride of the moving descriptors; the fixed ones have stride 4.
    """

    name: str
    max_turn: float
    max_shift: float
    on_cells: float
    moving_stride: int


#: Patch by patch as in the paper; as the metric reads after feature extraction on parallel grids; and
#: with grids turned against each other.
CONDITIONS = (
    Condition("cells", 0.0, 0.0, 1.0, 4),
    Condition("shifted", 0.0, 2.0, 0.0, 2),
    Condition("turned", 30.0, 2.0, 0.0, 2),
)


@dataclass(frozen=True)
class Score:
    """Result of one condition.

    Attributes:
        error: mean squared error with every bin of the similarity counting alike, as in the paper.
        correlation: Pearson's, of all pairs.
        bin_errors: mean squared error of each bin.
    """

    error: float
    correlation: float
    bin_errors: list[float]


def validation_config(config: TrainingConfig, condition: Condition) -> TrainingConfig:
    """The training settings without augmentation, on the fixed volume's own grid."""
    return config.changed(
        aligned_share=0.7,
        self_share=0.0,
        native_share=1.0,
        weighted_share=WEIGHTED_SHARE,
        moving_weighted_share=WEIGHTED_SHARE,
        turned_share=float(condition.max_turn > 0),
        max_turn_degrees=condition.max_turn,
        unshifted_share=0.0,
        max_shift=condition.max_shift,
        moving_on_cells=condition.on_cells,
        pose_weight=0.0,
        position_weight=0.0,
    )


@torch.no_grad()
def validate(network: DISANet, volumes: list[Volume], config: TrainingConfig, batches: int) -> dict[str, Score]:
    """Score a stride-4 network under every condition, always on the same pairs.

    The state of torch's random numbers is as before when this returns.
    """
    device = volumes[0].data.device
    extent = find_similarity(config.similarity).range
    network = copy.deepcopy(network).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    networks = {4: network, 2: shared_network(network, 2)}
    scores = {}
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for condition in CONDITIONS:
            torch.manual_seed(SEED)
            settings = validation_config(config, condition)
            sampler = PairSampler(volumes, settings, np.random.default_rng(SEED))
            statistics = BinStatistics(config.bins, extent)
            for _ in range(batches):
                pairs = [sampler.draw() for _ in range(config.batch_pairs)]
                batch = make_batch(pairs, settings, augment=False)
                predicted = predict(networks[4], networks[condition.moving_stride], batch)
                statistics.add(predicted, batch.target)
            scores[condition.name] = Score(statistics.error, statistics.correlation, statistics.bin_errors.tolist())
    return scores
