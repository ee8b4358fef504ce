# SPDX-License-Identifier: Apache-2.0
"""How far a computation has come, told to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, float], None]
"""Takes the name of a stage and how much of it is done, 0 to 1."""

Plan = Mapping[str, Sequence[tuple[str, float]]]
"""By phase, its stages in the order in which they are expected, each with its share of the time in any unit."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Within the block, what this thread announces goes to a listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def announce(stage: str, share: float = 0.0) -> None:
    """Say that a stage begins, or how much of it is done. Costs next to nothing where nobody listens."""
    listener = _listener.get()
    if listener is not None:
        listener(stage, share)


class Position:
    """Where in a plan the reports of a computation stand; it never goes back.

    Attributes:
        description: of what is being done.
        done: of the plan's total.
        total: of the plan's shares.
    """

    def __init__(self, plan: Plan) -> None:
        self._stages = [(phase, stage, share) for phase, stages in plan.items() for stage, share in stages]
        self._begins = [sum(share for *_, share in self._stages[:i]) for i in range(len(self._stages))]
        self._phases = set(plan)
        self._index = 0
        self._is_new = True  # the phase, no stage of it is under way yet
        self.description = ""
        self.done = 0.0
        self.total = sum(share for *_, share in self._stages)

    def report(self, stage: str, share: float) -> None:
        """Take what is announced: a phase, a stage, or what a stage does in parts."""
        if stage in self._phases:
            self._index = next(i for i, (phase, *_) in enumerate(self._stages) if phase == stage)
            self._is_new = True
            self.description, share = stage, 0.0
        else:
            phase = self._stages[self._index][0]
            first = self._index + (not self._is_new)
            for i, (its_phase, name, _) in enumerate(self._stages[first:], first):
                if (its_phase, name) == (phase, stage):
                    self._index, self._is_new = i, False
                    self.description = stage
                    break
        self.done = max(self.done, self._begins[self._index] + share * self._stages[self._index][2])

    @property
    def share(self) -> float:
        """How much of the plan is done, 0 to 1."""
        return self.done / self.total
