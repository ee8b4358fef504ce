# SPDX-License-Identifier: Apache-2.0
"""The processes of one run, one a GPU, and what they tell each other."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

Result = TypeVar("Result")


@dataclass(frozen=True)
class Team:
    """A process' place among all of a run.

    Attributes:
        rank: of this process; the first validates, logs and saves.
        size: number of processes. One alone needs no torch.distributed.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the first process."""
        return self.rank == 0

    def mean(self, values: Tensor) -> Tensor:
        """Mean over all processes."""
        if self.size > 1:
            dist.all_reduce(values)
            values /= self.size
        return values

    def of_first(self, *values: float) -> list[float]:
        """What the first process passes; the others' numbers do not matter."""
        if self.size == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64)  # on the CPU, so that no GPU is waited for
        dist.broadcast(shared, 0)
        return shared.tolist()


ALONE = Team()


def take_part(team: Team, backend: str, meeting: Path, work: Callable[[Team], Result]) -> Result:
    """Do the work of one process among several.

    What the work has made is gone before the group is. A DistributedDataParallel that outlives its group ends it with
    the interpreter's lock in hand, and waits for a thread of gloo that may wait for that lock.

    Args:
        team: of this process.
        backend: of torch.distributed.
        meeting: file by which the processes find each other.
        work: what to do.
    """
    dist.init_process_group(backend, init_method=f"file://{meeting}", rank=team.rank, world_size=team.size)
    result = work(team)
    gc.collect()
    dist.destroy_process_group()
    return result
