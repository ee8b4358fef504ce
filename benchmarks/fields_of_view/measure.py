# SPDX-License-Identifier: Apache-2.0
"""`disa.register` where one image shows less than the other or has a mask, each image as the fixed one in turn.

    python benchmarks/fields_of_view/measure.py FOLDER --output RUNS [--more MORE] [--parts ...] [--poses N]

bone: CT and T1 of limbs, with a mask of 12 mm about the CT's bone; errors at bone, to a reference of MORE if there is
one. limbs: the same without the mask. tumour: a mask of 30 mm about the tumour, on either image; errors within it.
heads: two heads cut at opposite ends, so that a part of their length is common to them; errors in the common part.
spine: two small images from where their headers put them, on their own grids; Dice of the other's cord, brought onto
the one by nearest neighbours. pet: PET and CT of one scanner from where their headers put them. slabs: a stack of
slices or a block of one image.

Where nothing else is said, errors are those to the headers over a grid of points of the image that shows less. The
moving image is first resampled onto a turned and shifted grid, and both roles start from the same pose. RUNS gets a row
a run; the same command goes on where it was stopped. A run that is refused ends where it started, without a value and
with a doubt. The tables of all rows are printed at the end, and by --report alone.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "registration")]

import SimpleITK as sitk
from geometry import mean_distance, seeded
from pairs import Pair, Scene
from resumable import read_rows, record
from small_blocks import dice
from summaries import doubt_table, part_tables
from trials import PARTS, Trial

import disa
from disa.errors import ImageError, RegistrationError
from disa.pose.result import RegistrationResult

KEY = ("part", "case", "role", "bin", "pose")
FIELDS = (
    *KEY,
    "group",
    "initial_mm",
    "final_mm",
    "headers_mm",
    "headers_dice",
    "dice",
    "value",
    "overlap",
    "doubts",
    "confidence",
    "seconds",
)


class Run(NamedTuple):
    """One run to be."""

    trial: Trial
    edges: tuple[float, float] | None
    pose: int
    swapped: bool

    @property
    def named(self) -> dict[str, str]:
        """The columns of KEY."""
        start = "headers" if self.edges is None else f"{self.edges[0]:.0f}-{self.edges[1]:.0f}"
        role = f"{self.trial.names[self.swapped]} fixed"
        values = (self.trial.part, self.trial.case, role, start, str(self.pose))
        return dict(zip(KEY, values, strict=True))


def runs_of(trials: list[Trial], poses: int) -> list[Run]:
    """All poses of a trial; there is one only where nothing is drawn at random."""
    return [
        Run(trial, edges, pose, swapped)
        for trial in trials
        for pose in range(poses if trial.turned else 1)
        for edges in trial.bins
        for swapped in (False, True)
    ]


def rows_of(runs: list[Run], seed: int, model: str) -> Iterator[dict[str, Any]]:
    for run in runs:
        yield run.named | {"group": run.trial.group} | _measured(run, seed, model)


def _measured(run: Run, seed: int, model: str) -> dict[str, Any]:
    scene, name = _opened(run.trial), f"{run.trial.part} {run.trial.case}"
    pair = scene.pair(run.swapped, seeded(name, seed, run.pose) if run.trial.turned else None)
    start: sitk.Transform = pair.truth
    if run.edges is not None:
        start = pair.start(seeded(name, seed, run.pose, int(run.edges[0])), run.edges)
    began = time.perf_counter()
    result = _registered(pair, start, model)
    seconds = time.perf_counter() - began
    end = start if result is None else result.transform
    told = {"value": "", "overlap": "", "doubts": True, "confidence": ""}
    if result is not None:
        confidence = getattr(result, "confidence", "")
        told |= {"value": round(result.value, 5), "overlap": round(result.overlap, 4), "confidence": confidence}
        told["doubts"] = bool(result.doubts)
    return _errors(run, pair, start, end) | told | {"seconds": round(seconds, 2)}


def _registered(pair: Pair, start: sitk.Transform, model: str) -> RegistrationResult | None:
    try:
        return disa.register(
            pair.fixed,
            pair.moving,
            initial_transform=start,
            fixed_mask=pair.fixed_mask,
            moving_mask=pair.moving_mask,
            model=model,
        )
    except (ImageError, RegistrationError):  # nothing overlaps or is left
        return None


def _errors(run: Run, pair: Pair, start: sitk.Transform, end: sitk.Transform) -> dict[str, Any]:
    """At the start and the end: of the truth and, at the end, of the headers, or the overlap of the labels."""
    if run.trial.labels is None:
        found = (pair.error(start), pair.error(end), mean_distance(end, pair.points, pair.points))
        return dict(zip(("initial_mm", "final_mm", "headers_mm"), (round(mm, 3) for mm in found), strict=True))
    labels = [sitk.ReadImage(str(path)) for path in run.trial.labels]
    ways = [transform.GetInverse() if run.swapped else transform for transform in (start, end)]
    return dict(zip(("headers_dice", "dice"), (round(dice(way, *labels), 4) for way in ways), strict=True))


@functools.lru_cache(maxsize=1)
def _opened(trial: Trial) -> Scene:
    return trial.scene()


def _told(row: Mapping[str, Any]) -> str:
    ends = f"Dice {row['headers_dice']} -> {row['dice']}" if "dice" in row else ""
    if "final_mm" in row:
        ends = f"{row['initial_mm']} -> {row['final_mm']} mm"
    doubted = ", doubted" if row["doubts"] else ""
    return f"{row['part']} {row['case']} {row['role']} {row['bin']}: {ends}, {row['seconds']} s{doubted}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the images, as layout `eval` of registration/run.py")
    parser.add_argument("--more", type=Path, help="folder of the PET, the spine and the references at bone")
    parser.add_argument("--output", type=Path, required=True, help="table of runs, CSV")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--cases", nargs="+", help="only those whose name holds one of these")
    parser.add_argument("--poses", type=int, default=3, help="grids and starts of each case and bin")
    parser.add_argument("--model", default="disa-lc2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    rows = read_rows(arguments.output)
    if not arguments.report:
        trials = [trial for part in arguments.parts for trial in PARTS[part](arguments.folder, arguments.more)]
        wanted = [t for t in trials if not arguments.cases or any(name in t.case for name in arguments.cases)]
        done = {tuple(row[column] for column in KEY) for row in rows}
        left = [run for run in runs_of(wanted, arguments.poses) if tuple(run.named.values()) not in done]
        results = rows_of(left, arguments.seed, arguments.model)
        record(arguments.output, FIELDS, rows, results, len(left), _told)
    rows = read_rows(arguments.output)
    print("\n\n".join([*part_tables(rows), doubt_table(rows)]))


if __name__ == "__main__":
    main()
