# SPDX-License-Identifier: Apache-2.0
"""The pairs of a cohort over processes of this machine, which talk to this one alone: no port is open."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from disa.cohort.work import Outcome, died, register_pair, unforeseen
from disa.report.job import Request

DEATHS = 3
"""Of workers with one pair, after which it is given up."""

_PATIENCE = 5.0
"""Seconds that a worker has to clear up once it is told to end."""


@dataclass
class _Worker:
    """A process, and the pair that it has."""

    process: SpawnProcess
    pipe: Connection
    pair: str = ""


def run_here(
    requests: Mapping[str, Request], cohort: Path, workers: int, retries: int
) -> Generator[Outcome, None, None]:
    """The outcome of each pair, as they come; a pair whose worker dies goes to another one.

    Args:
        requests: by the pair's name.
        cohort: folder of the whole cohort.
        workers: processes, which share the cores.
        retries: of a pair that fails by something that this package does not foresee.
    """
    waiting = deque(requests)
    tried, deaths = Counter[str](), Counter[str]()
    crew: list[_Worker] = []
    try:
        while waiting or any(worker.pair for worker in crew):
            while len(crew) < min(workers, len(waiting) + sum(bool(worker.pair) for worker in crew)):
                crew.append(_started(workers))
            for worker in crew:
                if waiting and not worker.pair:
                    worker.pair = waiting.popleft()
                    with suppress(BrokenPipeError):  # it has died, and is found so below
                        worker.pipe.send((worker.pair, requests[worker.pair], cohort))
            for pipe in connection.wait([worker.pipe for worker in crew]):
                worker = next(worker for worker in crew if worker.pipe is pipe)
                name, worker.pair = worker.pair, ""
                try:
                    outcome, is_foreseen = worker.pipe.recv()
                    tried[name] += 1
                    is_final = is_foreseen or tried[name] > retries
                except (EOFError, OSError):
                    crew.remove(worker)
                    deaths[name] += 1
                    outcome, is_final = died(name), deaths[name] >= DEATHS
                if name and is_final:
                    yield outcome
                elif name:
                    waiting.append(name)
    finally:
        _end(crew)


def _started(workers: int) -> _Worker:
    """A new process, with its share of the cores."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    threads = str(max((os.cpu_count() or 1) // workers, 1))
    with _environment({"OMP_NUM_THREADS": threads, "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": threads}):
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Values that processes started within the block have, as libraries read them when they are loaded."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _end(crew: list[_Worker]) -> None:
    for worker in crew:
        worker.pipe.close()
        worker.process.terminate()
    for worker in crew:
        worker.process.join(_PATIENCE)
        worker.process.kill()
        worker.process.join()


def _serve(pipe: Connection) -> None:
    """What a worker does, until the other end of its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(EOFError, OSError):
        while True:
            name, request, cohort = pipe.recv()
            try:
                answer = register_pair(name, request, cohort), True
            except Exception as error:  # noqa: BLE001 (whatever a pair died of, the others go on)
                answer = unforeseen(name, error), False
            pipe.send(answer)
