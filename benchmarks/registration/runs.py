"""Runs of pairs x bins x poses x methods, one CSV row each: after a kill the same command goes on."""

from __future__ import annotations

import csv
import resource
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk
from cases import Case
from geometry import random_pose, sample_points, turned
from methods import METHODS, Options

FIELDS = ("case", "group", "bin", "pose", "method", "initial_mm", "final_mm", "seconds", "cpu_seconds", "evaluations")


class Run(NamedTuple):
    """One run to be."""

    case: Case
    edges: tuple[float, float]
    pose: int
    method: str

    @property
    def key(self) -> tuple[str, ...]:
        return (self.case.name, bin_name(self.edges), str(self.pose), self.method)


def bin_name(edges: tuple[float, float]) -> str:
    return f"{edges[0]:.0f}-{edges[1]:.0f}"


def read_rows(path: Path) -> list[dict[str, str]]:
    """Whole rows of the table; a last one that a kill cut short is left out."""
    if not path.is_file():
        return []
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    return [row for row in csv.DictReader(whole.splitlines()) if row["evaluations"] is not None]


def perform(runs: list[Run], path: Path, seed: int, options: Options) -> None:
    """Do what the table lacks, with progress on stderr."""
    rows = read_rows(path)
    done = {(row["case"], row["bin"], row["pose"], row["method"]) for row in rows}
    left = [run for run in runs if run.key not in done]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
        file.flush()
        began = time.perf_counter()
        for number, row in enumerate(_rows_of(left, seed, options), 1):
            writer.writerow(row)
            file.flush()
            seconds = (time.perf_counter() - began) / number * (len(left) - number)
            print(
                f"{number}/{len(left)} {row['case']} {row['bin']} mm {row['method']}: {row['initial_mm']} -> "
                f"{row['final_mm']} mm; {seconds / 60:.0f} min left",
                file=sys.stderr,
            )


def _rows_of(runs: list[Run], seed: int, options: Options) -> Iterator[dict[str, object]]:
    loaded: tuple[Case, int] | None = None
    for run in runs:
        subject = zlib.crc32(run.case.name.encode())
        if loaded != (run.case, run.pose):
            fixed = sitk.ReadImage(str(run.case.fixed), sitk.sitkFloat32)
            image = sitk.ReadImage(str(run.case.moving), sitk.sitkFloat32)
            moving = turned(image, np.random.default_rng([seed, subject, run.pose]))
            points = sample_points(fixed)
            loaded = (run.case, run.pose)
        rng = np.random.default_rng([seed, subject, run.pose, int(run.edges[0])])
        pose = random_pose(fixed, rng, run.edges)
        began, cpu = time.perf_counter(), _cpu_seconds()
        outcome = METHODS[run.method](fixed, moving, pose, options)
        seconds, cpu = time.perf_counter() - began, _cpu_seconds() - cpu
        yield {
            "case": run.case.name,
            "group": run.case.group,
            "bin": bin_name(run.edges),
            "pose": run.pose,
            "method": run.method,
            "initial_mm": round(error_of(pose, points), 3),
            "final_mm": round(error_of(outcome.transform, points), 3),
            "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu, 3),
            "evaluations": "" if outcome.evaluations is None else outcome.evaluations,
        }


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def error_of(transform: sitk.Transform, points: np.ndarray) -> float:
    """Mean distance in mm between points and where the transform takes them."""
    moved = np.asarray([transform.TransformPoint(point) for point in points.tolist()])
    return float(np.linalg.norm(moved - points, axis=1).mean())
