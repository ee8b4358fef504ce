# SPDX-License-Identifier: Apache-2.0
"""A bar with the time left, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn
from rich.text import Text

from disa.progress import Plan, told_to


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
        """Take a report of `disa.progress`: a phase, a stage, or what a stage does in parts."""
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


class TimeLeft(ProgressColumn):
    """What is left if the rest goes on as it did until the last report, counting down; before the first, what went."""

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed or 0.0
        if not task.completed:
            return Text(f"{_clock(elapsed)} so far")
        left = task.fields["reported"] * (task.total or 0.0) / task.completed - elapsed
        return Text(f"{_clock(max(left, 0.0))} left")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def progress_bar(plan: Plan) -> Iterator[None]:
    """A bar on the standard error stream while the block runs; nothing where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    position = Position(plan)
    columns = (TextColumn("{task.description:22}"), BarColumn(), TaskProgressColumn(), TimeLeft())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=position.total, reported=0.0)

        def listen(stage: str, share: float) -> None:
            before = position.done
            position.report(stage, share)
            shown.update(task, description=position.description, completed=position.done)
            if position.done > before:
                shown.update(task, reported=shown.tasks[0].elapsed)

        with told_to(listen):
            yield
