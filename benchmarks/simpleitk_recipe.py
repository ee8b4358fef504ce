# SPDX-License-Identifier: Apache-2.0
"""SimpleITK's rigid recipe with Mattes and with DISA in its place: error, time; and what the class costs.

    python benchmarks/simpleitk_recipe.py FIXED MOVING [FIXED MOVING ...] [--poses 3] [--error 5 25] [--csv runs.csv]

Each pair shares its world space, so the identity is the truth. The moving image is first resampled onto a grid turned
by up to 15 degrees an axis and shifted by up to 4 voxels. All recipes have the same starts and optimiser and three
levels:

- Mattes: shrink factors 4, 2, 1, sigmas 2, 1, 0 mm, 10 % of the voxels at random;
- DISA: the same with `SetMetricAsDISA()`, and all samples;
- DISA, then 1 mm: the last, and one level more with `SetMetricAsDISA(spacing=1.0)`, as
  examples/simpleitk/rigid_in_two_stages.py does; its time is that of both stages.

`--cost` measures, before that, time and memory of the import, a process each, and the time that a command adds to an
iteration.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from geometry import centre_of, mean_error, random_pose, sample_points, turned
from workers import run_all

import disa
from disa.features import cache as feature_cache

OPTIMIZERS: dict[str, Callable[[sitk.ImageRegistrationMethod], None]] = {
    "gradient descent": lambda method: (
        method.SetOptimizerAsGradientDescent(1.0, 100, 1e-6, 10),
        method.SetOptimizerScalesFromPhysicalShift(),
    ),
    "regular step": lambda method: (
        method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 100, 0.7, 1e-8),
        method.SetOptimizerScalesFromPhysicalShift(),
    ),
    "LBFGS2": lambda method: method.SetOptimizerAsLBFGS2(),
}

RECIPES = MATTES, ONE_STAGE, TWO_STAGES = "Mattes", "DISA", "DISA, then 1 mm"

Seconds = npt.NDArray[np.float64]  # on the clock, and of the processors

IMPORT = """
import sys, time
def megabytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
import numpy, SimpleITK
start, before = time.perf_counter(), megabytes()
import disa
{}
print(time.perf_counter() - start, megabytes() - before)
"""


def measure_import(repeats: int = 5) -> None:
    for label, statement in (("import disa", ""), ("and the class", "disa.ImageRegistrationMethod()")):
        command = [sys.executable, "-c", IMPORT.format(statement)]
        runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(repeats)]
        seconds, megabytes = zip(*((float(word) for word in run.split()) for run in runs), strict=True)
        print(f"{label}: {min(seconds):.3f} s, {max(megabytes):.0f} MB beyond SimpleITK")


def measure_commands(image: sitk.Image, iterations: int = 2000, repeats: int = 3) -> None:
    """Time that a command which does nothing adds to an iteration, the transform in place and a copy."""

    def seconds(with_command: bool, in_place: bool) -> float:
        method = disa.ImageRegistrationMethod()
        method.SetMetricAsDISA(spacing=6.0)
        method.SetOptimizerAsGradientDescent(1e-9, iterations, 0.0, 5, method.Never)
        method.SetInitialTransform(sitk.Euler3DTransform(centre_of(image).tolist(), 0.0, 0.0, 0.0), in_place)
        if with_command:
            method.AddCommand(sitk.sitkIterationEvent, lambda: None)
        method.MetricEvaluate(image, image)
        start = time.perf_counter()
        method.Execute(image, image)
        return time.perf_counter() - start

    for in_place in (True, False):
        plain, observed = (min(seconds(flag, in_place) for _ in range(repeats)) for flag in (False, True))
        print(
            f"a command, transform {'in place' if in_place else 'copied'}: "
            f"{1e6 * (observed - plain) / iterations:.0f} us an iteration of {1e6 * plain / iterations:.0f} us"
        )


def make_method(optimizer: str) -> disa.ImageRegistrationMethod:
    method = disa.ImageRegistrationMethod()
    OPTIMIZERS[optimizer](method)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    return method


def run(
    method: disa.ImageRegistrationMethod, fixed: sitk.Image, moving: sitk.Image, pose: sitk.Euler3DTransform
) -> tuple[sitk.Euler3DTransform, Seconds]:
    """The pose that is found, and the time that it took."""
    transform = sitk.Euler3DTransform(pose)
    method.SetInitialTransform(transform)
    wall, processor = time.perf_counter(), time.process_time()
    try:
        method.Execute(fixed, moving)
    except RuntimeError:  # Mattes: too many samples map outside; it ends where it started
        transform = sitk.Euler3DTransform(pose)
    return transform, np.array((time.perf_counter() - wall, time.process_time() - processor))


def run_recipes(
    recipes: Sequence[str], optimizer: str, fixed: sitk.Image, moving: sitk.Image, pose: sitk.Euler3DTransform
) -> Iterator[tuple[str, sitk.Euler3DTransform, Seconds]]:
    """Each recipe's name, the pose that it finds, and its time."""
    if MATTES in recipes:
        method = make_method(optimizer)
        method.SetMetricAsMattesMutualInformation(50)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(0.1, seed=1)
        yield MATTES, *run(method, fixed, moving, pose)
    if ONE_STAGE in recipes or TWO_STAGES in recipes:
        feature_cache.clear()
        method = make_method(optimizer)
        method.SetMetricAsDISA()
        first, seconds = run(method, fixed, moving, pose)
        yield ONE_STAGE, first, seconds
    if TWO_STAGES in recipes:
        method.SetMetricAsDISA(spacing=1.0)
        method.SetShrinkFactorsPerLevel([1])
        method.SetSmoothingSigmasPerLevel([0])
        second, more_seconds = run(method, fixed, moving, first)
        yield TWO_STAGES, second, seconds + more_seconds


@dataclass(frozen=True)
class Run:
    """One registration."""

    pair: str
    optimizer: str
    recipe: str
    initial: float  # mm
    final: float  # mm
    seconds: float
    processor_seconds: float  # of all threads


def runs_from_one_start(task: tuple[int, Path, Path, int, argparse.Namespace]) -> list[Run]:
    """Every recipe by every optimiser, from one start of one pair."""
    number, fixed_path, moving_path, seed, arguments = task
    fixed = sitk.ReadImage(str(fixed_path), sitk.sitkFloat32)
    moving = turned(sitk.ReadImage(str(moving_path), sitk.sitkFloat32), np.random.default_rng([0, number]))
    points = sample_points(fixed)
    rng = np.random.default_rng([0, number, seed])
    pose = random_pose(fixed, rng, tuple(arguments.error), arguments.degrees)
    pair = " / ".join(path.name.split(".")[0] for path in (fixed_path, moving_path))
    return [
        Run(pair, optimizer, recipe, mean_error(pose, points), mean_error(found, points), *seconds.tolist())
        for optimizer in arguments.optimizers
        for recipe, found, seconds in run_recipes(arguments.recipes, optimizer, fixed, moving, pose)
    ]


def table(runs: list[Run]) -> str:
    """A row an optimiser and recipe, medians over its runs, with a column for the median error of each pair."""
    pairs = list(dict.fromkeys(run.pair for run in runs))
    lines = [
        "| optimiser | recipe | runs | below 15 mm | median error (mm) | worst | time (s) | processors' (s) | "
        + " | ".join(pairs)
        + " |",
        "|---" * (8 + len(pairs)) + "|",
    ]
    for optimizer, recipe in dict.fromkeys((run.optimizer, run.recipe) for run in runs):
        rows = [run for run in runs if (run.optimizer, run.recipe) == (optimizer, recipe)]
        errors = [run.final for run in rows]
        medians = [statistics.median(run.final for run in rows if run.pair == pair) for pair in pairs]
        lines.append(
            f"| {optimizer} | {recipe} | {len(rows)} | {sum(error < 15.0 for error in errors)} "
            f"| {statistics.median(errors):.2f} | {max(errors):.1f} "
            f"| {statistics.median(run.seconds for run in rows):.1f} "
            f"| {statistics.median(run.processor_seconds for run in rows):.1f} | "
            + " | ".join(f"{median:.2f}" for median in medians)
            + " |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--poses", type=int, default=3, help="random starts a pair")
    parser.add_argument("--error", type=float, nargs=2, default=(5.0, 25.0), help="range of initial mean errors, mm")
    parser.add_argument("--degrees", type=float, default=15.0, help="greatest turn of a start about each axis")
    parser.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS))
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--cost", action="store_true", help="measure the import and commands first")
    parser.add_argument("--processes", type=int, default=1, help="starts at a time")
    parser.add_argument("--csv", type=Path, help="write every run there")
    arguments = parser.parse_args()

    if arguments.cost:
        measure_import()
        measure_commands(sitk.ReadImage(str(arguments.images[0]), sitk.sitkFloat32))
    pairs = zip(arguments.images[::2], arguments.images[1::2], strict=True)
    tasks = [(number, *pair, seed, arguments) for number, pair in enumerate(pairs) for seed in range(arguments.poses)]
    runs: list[Run] = []
    for done in run_all(runs_from_one_start, tasks, arguments.processes):
        runs += done
        if arguments.csv:
            write_csv(arguments.csv, runs)
    print(table(runs))


def write_csv(path: Path, runs: list[Run]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Run))
        writer.writerows(astuple(run) for run in runs)


if __name__ == "__main__":
    main()
