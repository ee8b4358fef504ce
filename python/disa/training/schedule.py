# SPDX-License-Identifier: Apache-2.0
"""How long a run is, in steps or in seconds, and what its learning rate is when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

FINAL_RATE = 1e-3


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up, then half a cosine down to `FINAL_RATE`.

    Attributes:
        unit: of all three numbers. By steps, a run can be repeated; by seconds, it ends in time.
        total: length of the run over all its legs.
        warmup: length of the warm-up.
        validate_every: between validations.
    """

    unit: Literal["steps", "seconds"]
    total: float
    warmup: float
    validate_every: float

    def rate(self, done: float) -> float:
        """Share of the peak learning rates after so many steps or seconds."""
        cosine = FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * min(done / self.total, 1.0)))
        return cosine * min(1.0, (done + 0.5) / self.warmup)

    def next_validation(self, done: float) -> float:
        """When to validate next: at the multiples of `validate_every` and at the end."""
        return min((math.floor(done / self.validate_every) + 1) * self.validate_every, self.total)
