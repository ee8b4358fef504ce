# SPDX-License-Identifier: Apache-2.0
"""Runs of pairs x bins x poses x methods, one CSV row each: after a kill the same command goes on."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from cases import Case
from methods import METHODS, NEAR_METHODS, SAMPLES_SWEEP, STARTS_SWEEP, Options, Outcome
from pairs import generator, load
from resumable import Row, read_rows, record
from shared_work import results_of

from disa.errors import RegistrationError

FIELDS = (
    "case",
    "group",
    "bin",
    "pose",
    "method",
    "initial_mm",
    "final_mm",
    "seconds",
    "cpu_seconds",
    "search_seconds",
    "evaluations",
)

PIECE = 4
"""Runs that a process takes at a time: more would leave others waiting at the end, fewer load images more often."""

EVERY = METHODS | NEAR_METHODS | STARTS_SWEEP | SAMPLES_SWEEP


class Run(NamedTuple):
    """One run to be."""

    case: Case
    edges: tuple[float, float]
    pose: int
    method: str

    @property
    def key(self) -> tuple[str, ...]:
        return (self.case.title, bin_name(self.edges), str(self.pose), self.method)


class Setting(NamedTuple):
    """What all runs share."""

    seed: int
    options: Options


def bin_name(edges: tuple[float, float]) -> str:
    return f"{edges[0]:.0f}-{edges[1]:.0f}"


def perform(runs: list[Run], path: Path, setting: Setting, processes: int = 1, threads: int = 0, gpus: int = 0) -> None:
    """Do what the table lacks, with progress on stderr.

    Args:
        runs: in order.
        path: of the table.
        setting: what all share.
        processes: how many at a time; 1: this one.
        threads: of each process; 0: all, for one process.
        gpus: above 0, process i sees GPU i modulo this number only.
    """
    rows = read_rows(path)
    done = {(row["case"], row["bin"], row["pose"], row["method"]) for row in rows}
    left = [run for run in runs if run.key not in done]
    tasks = [(piece, setting) for piece in _pieces(left)]
    record(path, FIELDS, rows, results_of(rows_of, tasks, processes, threads, gpus), len(left), _told)


def _told(row: Row) -> str:
    ends = f"{row['initial_mm']} -> {row['final_mm']} mm, {row['seconds']} s"
    return f"{row['case']} {row['bin']} mm {row['method']}: {ends}"


def _pieces(runs: list[Run]) -> Iterator[list[Run]]:
    """At most PIECE runs of one case, pose and bin that follow each other: they share their images."""
    for _, group in groupby(runs, key=lambda run: (run.case, run.pose, run.edges)):
        together = list(group)
        yield from (together[first : first + PIECE] for first in range(0, len(together), PIECE))


def rows_of(task: tuple[list[Run], Setting]) -> Iterator[dict[str, object]]:
    """Do runs of one case, pose and bin."""
    runs, setting = task
    for run in runs:
        pair = load(run.case, setting.seed, run.pose)
        start = pair.start(generator(run.case, setting.seed, run.pose, int(run.edges[0])), run.edges)
        began, cpu = time.perf_counter(), _cpu_seconds()
        try:
            outcome = EVERY[run.method](pair, start, setting.options)
        except RegistrationError:  # nothing overlaps: it ends where it started
            outcome = Outcome(start, None)
        seconds, cpu = time.perf_counter() - began, _cpu_seconds() - cpu
        yield {
            "case": run.case.title,
            "group": run.case.heading,
            "bin": bin_name(run.edges),
            "pose": run.pose,
            "method": run.method,
            "initial_mm": round(pair.error(start), 3),
            "final_mm": round(pair.error(outcome.transform), 3),
            "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu, 3),
            "search_seconds": "" if outcome.search_seconds is None else round(outcome.search_seconds, 4),
            "evaluations": "" if outcome.evaluations is None else outcome.evaluations,
        }


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
