"""Capture range on CT/T1 pairs and accuracy on aligned head pairs, DISA beside SimpleITK's Mattes recipe.

    python benchmarks/rigid_accuracy.py capture FIXED MOVING [FIXED MOVING ...] [--poses 10] [--csv runs.csv]
    python benchmarks/rigid_accuracy.py heads FIXED MOVING [FIXED MOVING ...] [--poses 5]

Each pair shares its world space, so the identity is the truth. The moving image is first resampled onto a grid
turned by up to 15 degrees an axis and shifted by up to 4 voxels. `capture` starts from poses with an initial mean
error of 0-25 and 25-50 mm (rotations up to 25 degrees an axis) at 2 mm; `heads` starts within 15 mm and adds a stage
at 1 mm.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from geometry import mean_error, random_pose, sample_points, turned
from pipelines import register_disa, register_mattes
from workers import run_all

CONVERGED = 15.0
EDGES = {"capture": [0.0, 25.0, 50.0], "heads": [0.0, 15.0]}
SPACINGS = {"capture": (2.0,), "heads": (2.0, 1.0)}


Task = tuple[Path, Path, argparse.Namespace]


def run_pair(task: Task) -> list[dict[str, object]]:
    """Every run of one pair."""
    fixed, moving, arguments = task
    rng = np.random.default_rng(arguments.seed)
    fixed_image = sitk.ReadImage(str(fixed), sitk.sitkFloat32)
    moving_image = turned(sitk.ReadImage(str(moving), sitk.sitkFloat32), rng)
    points = sample_points(fixed_image)
    spacings = SPACINGS[arguments.experiment]
    methods = {
        "DISA": lambda pose: register_disa(
            fixed_image,
            moving_image,
            pose,
            spacings=spacings,
            levels=arguments.levels,
            model=arguments.model,
            smoothing=arguments.smoothing,
        ),
        "Mattes": lambda pose: register_mattes(fixed_image, moving_image, pose),
    }
    rows: list[dict[str, object]] = []
    for low, high in pairwise(arguments.edges or EDGES[arguments.experiment]):
        for _ in range(arguments.poses):
            pose = random_pose(fixed_image, rng, (low, high), 25.0 if arguments.experiment == "capture" else 5.0)
            for name, register in methods.items():
                if name not in arguments.methods:
                    continue
                start = time.perf_counter()
                result = register(pose)
                rows.append(
                    {
                        "fixed": fixed.name,
                        "moving": moving.name,
                        "bin": f"{low:.0f}-{high:.0f}",
                        "method": name,
                        "initial_mm": round(mean_error(pose, points), 3),
                        "final_mm": round(mean_error(result, points), 3),
                        "seconds": round(time.perf_counter() - start, 3),
                    }
                )
    return rows


def summary(rows: list[dict[str, object]]) -> str:
    lines = [
        "| pair | bin (mm) | method | runs | below 15 mm | median error (mm) | median time (s) |",
        "|" + "---|" * 7,
    ]
    pairs = list(dict.fromkeys((r["fixed"], r["moving"]) for r in rows))
    for pair in [*pairs, None]:
        for bin_name in dict.fromkeys(r["bin"] for r in rows):
            for method in dict.fromkeys(r["method"] for r in rows):
                chosen = [
                    r
                    for r in rows
                    if (pair is None or (r["fixed"], r["moving"]) == pair)
                    and (r["bin"], r["method"]) == (bin_name, method)
                ]
                errors = np.array([r["final_mm"] for r in chosen], dtype=float)
                seconds = np.array([r["seconds"] for r in chosen], dtype=float)
                name = "all" if pair is None else f"{pair[0]} / {pair[1]}"
                lines.append(
                    f"| {name} | {bin_name} | {method} | {len(chosen)} | {100 * (errors < CONVERGED).mean():.0f} % "
                    f"| {np.median(errors):.2f} | {np.median(seconds):.2f} |"
                )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=sorted(EDGES))
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--poses", type=int, default=10, help="random starts a bin and pair")
    parser.add_argument("--edges", type=float, nargs="+", help="of the bins of initial mean error, mm")
    parser.add_argument("--levels", type=int, default=3)
    parser.add_argument("--smoothing", type=float, help="of the moving descriptors, mm; the metric's own if not given")
    parser.add_argument("--model", default="disa-lc2")
    parser.add_argument("--methods", nargs="+", default=["DISA", "Mattes"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1, help="pairs at a time")
    parser.add_argument("--csv", type=Path, help="write every run here")
    arguments = parser.parse_args()
    if len(arguments.images) % 2:
        parser.error("give a fixed and a moving image for each pair")

    rows: list[dict[str, object]] = []
    tasks: list[Task] = [(f, m, arguments) for f, m in zip(arguments.images[::2], arguments.images[1::2], strict=True)]
    for done in run_all(run_pair, tasks, arguments.processes):
        rows += done
        print(f"{done[0]['fixed']} / {done[0]['moving']} done, {len(rows)} runs", file=sys.stderr)
    if arguments.csv:
        with arguments.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    print(summary(rows))


if __name__ == "__main__":
    main()
