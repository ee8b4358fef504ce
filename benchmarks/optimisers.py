# SPDX-License-Identifier: Apache-2.0
"""SimpleITK's optimisers, levels and sampling strategies with DISA and with Mattes, from the same starts.

    python benchmarks/optimisers.py FOLDER --csv RUNS.csv [--poses 1] [--roles as-is] [...]

FOLDER holds openms_07 and openms_19 (T1, and T2 or FLAIR), STS_042 and STS_045 (T1, CT), aligned. Each moving image is
first resampled onto a grid turned by up to 15 degrees an axis and shifted by up to 4 voxels. Starts lie 10 to 25 mm
off; errors are means over a grid of points. Both metrics get the script of SimpleITK's tutorials: shrink factors 4, 2,
1 and sigmas 2, 1, 0 mm for three levels, 2, 1 and 1, 0 for two, 1 and 0 for one, and 5 % of the voxels where they are
sampled. In the swapped role the fixed image is given as the moving one. The table gets a row a run as it ends; the same
command goes on where it was stopped. `--report` prints the medians of what there is.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from geometry import mean_error, random_pose, sample_points, turned
from resumable import Row, read_rows, record

import disa

Method = disa.ImageRegistrationMethod

PAIRS = {
    "head 07": ("openms_07_t1", "openms_07_t2"),
    "head 19": ("openms_19_t1", "openms_19_flair"),
    "limb 042": ("STS_042_t1", "STS_042_ct"),
    "limb 045": ("STS_045_t1", "STS_045_ct"),
}
LEVELS = {1: ([1], [0.0]), 2: ([2, 1], [1.0, 0.0]), 3: ([4, 2, 1], [2.0, 1.0, 0.0])}
SAMPLING = {"none": Method.NONE, "regular": Method.REGULAR, "random": Method.RANDOM}
METRICS: dict[str, Callable[[Method], None]] = {
    "DISA": lambda method: method.SetMetricAsDISA(),
    "Mattes": lambda method: method.SetMetricAsMattesMutualInformation(50),
}
ARM = 100.0  # mm: a turn by 0.01 counts as a shift by 1 mm


def by_shift(method: Method) -> None:
    method.SetOptimizerScalesFromPhysicalShift()


def by_hand(method: Method, angle: float = ARM) -> None:
    method.SetOptimizerScales([angle] * 3 + [1.0] * 3)


OPTIMIZERS: dict[str, Callable[[Method], None]] = {
    "GradientDescent": lambda m: (m.SetOptimizerAsGradientDescent(1.0, 100, 1e-6, 10), by_shift(m)),
    "RegularStepGradientDescent": lambda m: (
        m.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 100, 0.7, 1e-8),
        by_shift(m),
    ),
    "GradientDescentLineSearch": lambda m: (m.SetOptimizerAsGradientDescentLineSearch(1.0, 30), by_shift(m)),
    "ConjugateGradientLineSearch": lambda m: (m.SetOptimizerAsConjugateGradientLineSearch(1.0, 30), by_shift(m)),
    "LBFGS2": lambda m: m.SetOptimizerAsLBFGS2(),
    "LBFGSB": lambda m: m.SetOptimizerAsLBFGSB(numberOfIterations=100),
    "Powell": lambda m: (m.SetOptimizerAsPowell(10, 30, 2.0, 1e-2, 1e-4), by_hand(m)),
    "Amoeba": lambda m: (m.SetOptimizerAsAmoeba(5.0, 200), by_hand(m)),
    "OnePlusOneEvolutionary": lambda m: (
        m.SetOptimizerAsOnePlusOneEvolutionary(300, initialRadius=2.0, seed=1),
        by_hand(m),
    ),
    "Exhaustive": lambda m: (m.SetOptimizerAsExhaustive([1, 1, 1, 2, 2, 2], 8.0), by_hand(m, 1 / ARM)),
}
FIELDS = ("pair", "role", "optimiser", "levels", "sampling", "metric", "pose", "initial", "final", "seconds")
KEYS = FIELDS[:7]


def inverse_of(pose: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    """The inverse as an Euler transform about the same centre."""
    matrix = np.reshape(pose.GetMatrix(), (3, 3)).T
    result = sitk.Euler3DTransform()
    result.SetCenter(pose.GetCenter())
    result.SetMatrix(matrix.ravel().tolist(), 1e-6)
    result.SetTranslation((-matrix @ pose.GetTranslation()).tolist())
    return result


def run(key: Mapping[str, Any], fixed: sitk.Image, moving: sitk.Image, pose: sitk.Euler3DTransform) -> Row:
    """One registration; `key` says which."""
    method = Method()
    METRICS[key["metric"]](method)
    method.SetMetricSamplingStrategy(SAMPLING[key["sampling"]])
    method.SetMetricSamplingPercentage(0.05, seed=1)
    OPTIMIZERS[key["optimiser"]](method)
    shrink, sigmas = LEVELS[int(key["levels"])]
    method.SetShrinkFactorsPerLevel(shrink)
    method.SetSmoothingSigmasPerLevel(sigmas)
    is_swapped = key["role"] == "swapped"
    transform = inverse_of(pose) if is_swapped else sitk.Euler3DTransform(pose)
    method.SetInitialTransform(transform, True)
    start = time.perf_counter()
    try:
        method.Execute(*((moving, fixed) if is_swapped else (fixed, moving)))
    except RuntimeError:  # Mattes: too many samples map outside
        transform = inverse_of(pose) if is_swapped else sitk.Euler3DTransform(pose)
    seconds = time.perf_counter() - start
    found = inverse_of(transform) if is_swapped else transform
    points = sample_points(fixed)
    errors = {"initial": mean_error(pose, points), "final": mean_error(found, points), "seconds": seconds}
    return {**{name: str(value) for name, value in key.items()}, **{n: f"{e:.3f}" for n, e in errors.items()}}


def runs_of(arguments: argparse.Namespace, known: set[tuple[str, ...]]) -> Iterator[Row]:
    """What is not in the table yet, a pair and pose at a time."""
    for pose, (number, (pair, names)) in itertools.product(range(arguments.poses), enumerate(PAIRS.items())):
        keys = [
            dict(zip(KEYS, (pair, role, optimiser, str(levels), sampling, metric, str(pose)), strict=True))
            for optimiser, levels, sampling, role, metric in itertools.product(
                arguments.optimisers, arguments.levels, arguments.sampling, arguments.roles, arguments.metrics
            )
        ]
        missing = [key for key in keys if tuple(key.values()) not in known]
        if not missing:
            continue
        paths = [arguments.folder / f"{name}.nii.gz" for name in names]
        fixed, moving = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in paths)
        moving = turned(moving, np.random.default_rng([0, number]))
        start = random_pose(fixed, np.random.default_rng([0, number, pose]), tuple(arguments.error), 15.0)
        for key in missing:
            yield run(key, fixed, moving, start)


def table(rows: list[Row]) -> str:
    """Median errors, a row an optimiser and sampling, a column a metric and number of levels."""
    columns = sorted({(row["metric"], row["levels"]) for row in rows})
    lines = [
        "| optimiser | sampling | role | " + " | ".join(f"{metric}, {levels}" for metric, levels in columns) + " |",
        "|---" * (3 + len(columns)) + "|",
    ]
    for name in dict.fromkeys((row["optimiser"], row["sampling"], row["role"]) for row in rows):
        cells = []
        for column in columns:
            errors = [
                float(row["final"])
                for row in rows
                if (row["optimiser"], row["sampling"], row["role"]) == name and (row["metric"], row["levels"]) == column
            ]
            cells.append(f"{statistics.median(errors):.1f} ({len(errors)})" if errors else "")
        lines.append(f"| {' | '.join(name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the images")
    parser.add_argument("--csv", type=Path, required=True, help="table of the runs")
    parser.add_argument("--poses", type=int, default=1, help="random starts a pair")
    parser.add_argument("--error", type=float, nargs=2, default=(10.0, 25.0), help="of the starts, mm")
    parser.add_argument("--optimisers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS))
    parser.add_argument("--levels", nargs="+", type=int, choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--sampling", nargs="+", choices=SAMPLING, default=list(SAMPLING))
    parser.add_argument("--roles", nargs="+", choices=("as-is", "swapped"), default=["as-is"])
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS))
    parser.add_argument("--report", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    known = read_rows(arguments.csv)
    if not arguments.report:
        done = {tuple(row[name] for name in KEYS) for row in known}
        numbers = (arguments.optimisers, arguments.levels, arguments.sampling, arguments.roles, arguments.metrics)
        total = arguments.poses * len(PAIRS) * int(np.prod([len(part) for part in numbers]))
        record(arguments.csv, FIELDS, known, runs_of(arguments, done), total, told)
    print(table(read_rows(arguments.csv)))


def told(row: Mapping[str, Any]) -> str:
    """A run in one line."""
    return f"{', '.join(str(row[name]) for name in KEYS)}: {row['initial']} -> {row['final']} mm, {row['seconds']} s"


if __name__ == "__main__":
    main()
