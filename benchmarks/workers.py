"""Many independent runs over the processes of one machine, in order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import SimpleITK as sitk

Task = TypeVar("Task")
Result = TypeVar("Result")


def _single_thread() -> None:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def run_all(work: Callable[[Task], Result], tasks: Sequence[Task], processes: int) -> Iterator[Result]:
    """Results in the order of the tasks; with one process, in this one and with all its threads.

    Args:
        work: a function of a module, for it is sent to the processes by name.
        tasks: its arguments.
        processes: how many; each keeps to one thread of SimpleITK.
    """
    if processes == 1:
        yield from map(work, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_single_thread) as pool:
        yield from pool.map(work, tasks)
