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
from typing import TypeAlias

from disa.cohort.work import Outcome, died, register_pair, unforeseen
from disa.memory import VARIABLE, memory_limit
from disa.network.session import allowed_threads
from disa.progress import Listener, Position, announce, told_to
from disa.report.job import Request
from disa.threads import allowed_cores

DEATHS = 3
"""Of workers with one pair, after which it is given up."""

Said: TypeAlias = "float | tuple[Outcome, bool] | None"

STAGE = "pairs"
"""What is announced."""

_STEP = 0.01
"""Of a pair's work, of which a worker tells."""

_PATIENCE = 5.0
"""Seconds that a worker has to clear up once it is told to end."""


@dataclass
class _Worker:
    """A process, and the pair that it has.

    Attributes:
        process: that runs `_serve`.
        pipe: to it.
        pair: name; empty where it waits for one.
        share: of the pair, done.
    """

    process: SpawnProcess
    pipe: Connection
    pair: str = ""
    share: float = 0.0

    def begin(self, pair: str, requests: Mapping[str, Request], cohort: Path) -> None:
        """Give it a pair."""
        self.pair, self.share = pair, 0.0
        with suppress(BrokenPipeError):  # it has died, which `hear` finds
            self.pipe.send((pair, requests[pair], cohort))

    def hear(self) -> Said:
        """What it says: how much is done, or how it ended and whether that was foreseen; None: it has died."""
        try:
            said: Said = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return said


class _Tries:
    """How often pairs were begun in vain."""

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._tried = Counter[str]()
        self._deaths = Counter[str]()

    def outcome_of(self, pair: str, said: tuple[Outcome, bool] | None) -> Outcome | None:
        """The outcome of a pair after what its worker said; None where it is to be tried again."""
        if said is None:
            self._deaths[pair] += 1
            return died(pair) if self._deaths[pair] >= DEATHS else None
        outcome, is_foreseen = said
        self._tried[pair] += 1
        return outcome if is_foreseen or self._tried[pair] > self._retries else None


def run_here(
    requests: Mapping[str, Request], cohort: Path, workers: int, retries: int
) -> Generator[Outcome, None, None]:
    """The outcome of each pair, as they come; a pair whose worker dies goes to another one.

    Announces `STAGE` and how much of all pairs is done.

    Args:
        requests: by the pair's name.
        cohort: folder of the whole cohort.
        workers: processes at most, which share the cores and the memory.
        retries: of a pair that fails by something that this package does not foresee.
    """
    waiting = deque(requests)
    workers = min(workers, len(requests))
    tries = _Tries(retries)
    crew: list[_Worker] = []
    finished = 0
    try:
        while waiting or any(worker.pair for worker in crew):
            while len(crew) < min(workers, len(waiting) + sum(bool(worker.pair) for worker in crew)):
                crew.append(_started(workers))
            for worker in [worker for worker in crew if not worker.pair][: len(waiting)]:
                worker.begin(waiting.popleft(), requests, cohort)
            for pipe in connection.wait([worker.pipe for worker in crew]):
                worker = next(worker for worker in crew if worker.pipe is pipe)
                said = worker.hear()
                if isinstance(said, float):
                    worker.share = said
                    announce(STAGE, (finished + sum(worker.share for worker in crew)) / len(requests))
                    continue
                if said is None:
                    crew.remove(worker)
                name, worker.pair, worker.share = worker.pair, "", 0.0
                outcome = tries.outcome_of(name, said)
                if name and outcome is not None:
                    finished += 1
                    yield outcome
                elif name:
                    waiting.append(name)
    finally:
        _end(crew)


def _started(workers: int) -> _Worker:
    """A new process, with its share of the cores and of the memory."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with _environment(share_of_each(workers)):
        process.start()
    theirs.close()
    return _Worker(process, ours)


def share_of_each(workers: int) -> dict[str, str]:
    """Environment variables of each of so many workers: its cores, by what this process may have, and its memory.

    Raises:
        DISAError: the environment variable DISA_MEMORY is no size.
    """
    threads = max(allowed_cores() // workers, 1)
    limit = allowed_threads()
    share = str(min(threads, limit) if limit else threads)
    return {
        "OMP_NUM_THREADS": share,
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": share,
        VARIABLE: str(max(memory_limit() // workers, 1)),
    }


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
                with told_to(_teller(pipe, request)):
                    answer = register_pair(name, request, cohort), True
            except Exception as error:  # noqa: BLE001 (whatever a pair died of, the others go on)
                answer = unforeseen(name, error), False
            pipe.send(answer)


def _teller(pipe: Connection, request: Request) -> Listener:
    """Tells the other end of a pipe how much of a pair is done."""
    position = Position(request.options.plan)
    told = 0.0

    def tell(stage: str, share: float) -> None:
        nonlocal told
        position.report(stage, share)
        if position.share >= told + _STEP:
            told = position.share
            pipe.send(told)

    return tell
