# SPDX-License-Identifier: Apache-2.0
"""What each of two processes of one training run does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist

from disa.training.run.train import Trainer
from disa.training.team import Team, take_part
from helpers import small_training as small

STEPS = 2


def make(output: Path, team: Team, pairs: int) -> Trainer:
    volumes = [small.volume(1), small.volume(2)]
    return Trainer(small.config(batch_pairs=pairs), volumes, [small.volume(3)], output, team=team)


def state(trainer: Trainer) -> dict[str, object]:
    return {
        "network": trainer.network.state_dict(),
        "averaged": trainer.averaged.state_dict(),
        "shares": trainer.weights.shares,
    }


def member(rank: int, folder: Path) -> None:
    take_part(Team(rank, 2), "gloo", folder / "meeting", partial(train, folder))


def train(folder: Path, team: Team) -> None:
    """Two steps by hand, then a run in one leg and one in two."""
    trainer = make(folder, team, pairs=2)
    for _ in range(STEPS):
        trainer.learn(trainer.draw(team.rank))
    torch.save(state(trainer), folder / f"rank{team.rank}.pt")
    make(folder / "whole", team, pairs=2).run()
    make(folder / "legs", team, pairs=2).run(stop=1)
    dist.barrier()
    trainer = make(folder / "legs", team, pairs=2)
    trainer.resume(folder / "legs" / "checkpoint.pt")
    trainer.run()
