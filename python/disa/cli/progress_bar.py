# SPDX-License-Identifier: Apache-2.0
"""A bar with the time left, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn
from rich.text import Text

from disa.progress import Plan, Position, told_to


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
