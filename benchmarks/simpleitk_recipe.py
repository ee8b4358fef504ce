"""SimpleITK's rigid recipe with Mattes and with DISA in its place: error, time; and what the class costs.

    python benchmarks/simpleitk_recipe.py FIXED MOVING [FIXED MOVING ...] [--poses 3] [--error 5 25]

Each pair shares its world space, so the identity is the truth. The moving image is first resampled onto a grid turned
by up to 15 degrees an axis and shifted by up to 4 voxels. Both metrics have the same starts, optimiser and three
levels; Mattes takes 10 % of the voxels at random. Before that: time and memory of the import, a process each, and the
time that a command adds to an iteration.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from geometry import centre_of, mean_error, random_pose, sample_points, turned

import disa

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


def register(
    metric: str, optimizer: str, smooth: bool, fixed: sitk.Image, moving: sitk.Image, pose: sitk.Euler3DTransform
) -> sitk.Euler3DTransform:
    method = disa.ImageRegistrationMethod()
    if metric == "DISA":
        method.SetMetricAsDISA()
    else:
        method.SetMetricAsMattesMutualInformation(50)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(0.1, seed=1)
    OPTIMIZERS[optimizer](method)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0] if smooth else [0, 0, 0])
    transform = sitk.Euler3DTransform(pose)
    method.SetInitialTransform(transform)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:  # Mattes: too many samples map outside; it ends where it started
        return sitk.Euler3DTransform(pose)
    return transform


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--poses", type=int, default=3, help="random starts a pair")
    parser.add_argument("--error", type=float, nargs=2, default=(5.0, 25.0), help="range of initial mean errors, mm")
    parser.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS))
    arguments = parser.parse_args()

    measure_import()
    rows = [("Mattes", True), ("DISA", True), ("DISA", False)]
    results: dict[tuple[str, str, bool], list[tuple[float, float]]] = {}
    for number, (fixed_path, moving_path) in enumerate(zip(arguments.images[::2], arguments.images[1::2], strict=True)):
        rng = np.random.default_rng([0, number])
        fixed = sitk.ReadImage(str(fixed_path), sitk.sitkFloat32)
        moving = turned(sitk.ReadImage(str(moving_path), sitk.sitkFloat32), rng)
        if number == 0:
            measure_commands(fixed)
        points = sample_points(fixed)
        for _ in range(arguments.poses):
            pose = random_pose(fixed, rng, tuple(arguments.error), 15.0)
            for optimizer in arguments.optimizers:
                for metric, smooth in rows:
                    start = time.perf_counter()
                    found = register(metric, optimizer, smooth, fixed, moving, pose)
                    seconds = time.perf_counter() - start
                    results.setdefault((optimizer, metric, smooth), []).append((mean_error(found, points), seconds))
            print(f"{fixed_path.name} / {moving_path.name}: a start done", file=sys.stderr)

    print(
        "\n| optimiser | metric | sigmas (mm) | runs | below 5 mm | median error (mm) | median time (s) |\n"
        + "|---" * 7
        + "|"
    )
    for (optimizer, metric, smooth), runs in results.items():
        errors, times = zip(*runs, strict=True)
        near = sum(error < 5.0 for error in errors)
        print(
            f"| {optimizer} | {metric} | {'2, 1, 0' if smooth else '0, 0, 0'} | {len(runs)} | {near} "
            f"| {statistics.median(errors):.2f} | {statistics.median(times):.2f} |"
        )


if __name__ == "__main__":
    main()
