# SPDX-License-Identifier: Apache-2.0
"""What a run says while it goes on: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from disa.training.schedule import Schedule

#: Seconds over which the pace is measured, and between plain lines.
WINDOW = 30.0


class Display(Protocol):
    """Who is told how a run goes."""

    def reading(self, done: int, count: int, name: str) -> None:
        """Before a volume is read: how many are done, how many there are, this one's name."""

    def training(self, step: int, done: float) -> None:
        """Before each step: its number, and how much of the schedule is done."""

    def validated(self, row: dict[str, str]) -> None:
        """After each validation: the new line of the log."""

    def note(self, text: str) -> None:
        """What is worth a line."""

    def close(self) -> None:
        """At the end."""


class Pace:
    """How fast a run is, over the last `WINDOW` seconds.

    Args:
        schedule: of the run.
        pairs: of patches a step.
    """

    def __init__(self, schedule: Schedule, pairs: int) -> None:
        self._schedule, self._pairs = schedule, pairs
        self._past: deque[tuple[float, int, float]] = deque()

    def add(self, now: float, step: int, done: float) -> None:
        """Note a step, at a time in seconds."""
        self._past.append((now, step, done))
        while now - self._past[0][0] > WINDOW:
            self._past.popleft()

    def text(self) -> str:
        """Throughput and time left."""
        (t0, step0, done0), (t1, step1, done1) = self._past[0], self._past[-1]
        if t1 <= t0 or done1 <= done0:
            return "starting"
        left = (self._schedule.total - done1) * (t1 - t0) / (done1 - done0)
        return f"{(step1 - step0) * self._pairs / (t1 - t0):.3g} pairs/s, {_clock(left)} left"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _amount(step: int, done: float, schedule: Schedule) -> str:
    if schedule.unit == "steps":
        return f"step {step} of {schedule.total:.0f}"
    return f"step {step}, {_clock(done)} of {_clock(schedule.total)}"


class Bar:
    """A progress bar with throughput, time left and the last validation error."""

    def __init__(self, console: Console, schedule: Schedule, pairs: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}", markup=False))
        self._progress = Progress(*columns, console=console)
        self._task = self._progress.add_task("reading", text="")
        self._schedule, self._pace = schedule, Pace(schedule, pairs)
        self._error = ""
        self._progress.start()

    def reading(self, done: int, count: int, name: str) -> None:
        self._progress.update(self._task, completed=done, total=count, text=f"{done + 1} of {count}: {name}")

    def training(self, step: int, done: float) -> None:
        self._pace.add(time.monotonic(), step, done)
        text = f"{_amount(step, done, self._schedule)}, {self._pace.text()}{self._error}"
        total = self._schedule.total
        self._progress.update(self._task, description="training", completed=done, total=total, text=text)

    def validated(self, row: dict[str, str]) -> None:
        self._error = f", held-out error {row['shifted_error']}"

    def note(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        self._progress.stop()


class Lines:
    """One line now and then."""

    def __init__(self, console: Console, schedule: Schedule, pairs: int) -> None:
        self._console = console
        self._schedule, self._pace = schedule, Pace(schedule, pairs)
        self._next = time.monotonic() + WINDOW

    def reading(self, done: int, count: int, name: str) -> None:
        self.note(f"reading {done + 1} of {count}: {name}")

    def training(self, step: int, done: float) -> None:
        now = time.monotonic()
        self._pace.add(now, step, done)
        if now >= self._next:
            self._next = now + WINDOW
            self.note(f"{_amount(step, done, self._schedule)}, {self._pace.text()}")

    def validated(self, row: dict[str, str]) -> None:
        self.note(" ".join(f"{name}={value}" for name, value in row.items()))

    def note(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)

    def close(self) -> None:
        """Nothing is open."""


def make_display(schedule: Schedule, pairs: int) -> Display:
    """A bar if stdout is a terminal, else lines.

    Args:
        schedule: of the run.
        pairs: of patches a step.
    """
    console = Console()
    return (Bar if console.is_terminal else Lines)(console, schedule, pairs)
