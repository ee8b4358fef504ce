# SPDX-License-Identifier: Apache-2.0
"""Many independent runs over the processes of one machine, in order."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.util import Finalize
from typing import TypeVar

import SimpleITK as sitk

Task = TypeVar("Task")
Result = TypeVar("Result")


def _single_thread() -> None:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def run_fresh(work: Callable[[Task], Result], tasks: Sequence[Task], processes: int) -> Iterator[Result]:
    """Results in the order of the tasks, each in a process of its own, whose peak memory is then the task's.

    Args:
        work: a function of a module.
        tasks: its arguments.
        processes: how many at a time, each on one core if there are several; one alone has all.
    """
    context = multiprocessing.get_context("spawn")
    cores: multiprocessing.Queue[int] = context.Queue()
    for core in sorted(os.sched_getaffinity(0)) * (processes > 1):
        cores.put(core)
    with context.Pool(
        processes, _hold_core if processes > 1 else None, (cores,) * (processes > 1), maxtasksperchild=1
    ) as pool:
        yield from pool.imap(work, tasks)


def _hold_core(cores: multiprocessing.Queue[int]) -> None:
    """Take a free core, and give it back when this process ends."""
    core = cores.get()
    Finalize(None, cores.put, (core,), exitpriority=1)
    os.sched_setaffinity(0, {core})
    _single_thread()


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
