"""Which weights are trained by what."""

from __future__ import annotations

import torch

from disa.training.config import TrainingConfig
from disa.training.learning.muon import Muon
from disa.training.model.network import DISANet

#: Weights with no more inputs than this, and biases, are left to AdamW.
MIN_MUON_INPUTS = 32


def make_optimisers(network: DISANet, config: TrainingConfig) -> list[torch.optim.Optimizer]:
    """Muon for the convolutions that mix channels, AdamW for the rest, with the peak rate in each group."""
    mixing = [p for p in network.parameters() if p[0].numel() > MIN_MUON_INPUTS]
    others = [p for p in network.parameters() if p[0].numel() <= MIN_MUON_INPUTS]
    rates = config.learning_rate, config.other_learning_rate
    muon = Muon([{"params": mixing, "peak": rates[0]}], rates[0], weight_decay=config.weight_decay)
    adam = torch.optim.AdamW([{"params": others, "peak": rates[1]}], rates[1], weight_decay=config.weight_decay)
    return [muon, adam]


def set_rate(optimisers: list[torch.optim.Optimizer], share: float) -> None:
    """Set every learning rate to a share of its peak."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = share * group["peak"]
