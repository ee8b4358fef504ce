# SPDX-License-Identifier: Apache-2.0
"""Tasks that each give many results, shared among processes that keep to cores and a GPU of their own."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import SimpleITK as sitk

Task = TypeVar("Task")
Result = TypeVar("Result")

_results: Any = None


def results_of(
    work: Callable[[Task], Iterable[Result]], tasks: Sequence[Task], processes: int, threads: int, gpus: int
) -> Iterator[Result]:
    """Results as they come.

    Args:
        work: a function of a module, for it is sent to the processes by name.
        tasks: its arguments.
        processes: how many; 1: this one does it all.
        threads: that each process may use, and cores that it is held to.
        gpus: above 0, process i sees GPU i modulo this number only.

    Raises:
        What `work` raises.
    """
    if processes == 1:
        for task in tasks:
            yield from work(task)
        return
    for library in ("OMP", "OPENBLAS", "MKL"):  # they read it as they load
        os.environ[f"{library}_NUM_THREADS"] = str(threads)
    context = multiprocessing.get_context("spawn")
    results, numbers = context.Queue(), context.Queue()
    for number in range(processes):
        numbers.put(number)
    with ProcessPoolExecutor(processes, context, _begin, (results, numbers, threads, gpus)) as pool:
        futures = [pool.submit(_send_all, work, task) for task in tasks]
        try:
            while not all(future.done() for future in futures):
                yield from _waiting(results)
                broken = [future for future in futures if future.done() and future.exception()]
                if broken:
                    broken[0].result()
            time.sleep(0.1)
            yield from _waiting(results)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _waiting(results: Any) -> Iterator[Any]:
    try:
        while True:
            yield results.get(timeout=0.5)
    except queue.Empty:
        return


def _begin(results: Any, numbers: Any, threads: int, gpus: int) -> None:
    global _results  # noqa: PLW0603 (once in a worker process)
    _results = results
    number = numbers.get()
    cores = sorted(os.sched_getaffinity(0))
    first = number * threads % len(cores)
    os.sched_setaffinity(0, cores[first : first + threads])
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(number % gpus)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """A parent that was killed stops nothing by itself."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _send_all(work: Callable[[Any], Iterable[Any]], task: Any) -> None:
    for result in work(task):
        _results.put(result)
