# SPDX-License-Identifier: Apache-2.0
"""Known smooth deformations of one image of a pair, recovered by DISA and by others (deformable_methods.py).

    python benchmarks/deformable.py FIXED MOVING [FIXED MOVING ...] [--amplitudes 5 10 20] [--processes 1]

The moving image is deformed by a Gaussian random field (benchmarks/fields.py) and resampled onto a grid turned by up to
15 degrees an axis and shifted. *Error*: mean distance from the truth over points of the fixed image's body, if the
pair is aligned as it comes. *Recovered*: from the field put upon what the same method makes of the undeformed pair, on
another turned grid, so that a wrong reference does not enter; what does nothing has the field's mean length. Folds:
share of 4 mm cells with a corner whose Jacobian determinant is 0 or less. Dice: of masks `*_gtv.nii.gz` beside the
images. All are means over the pairs. Each pair and method has a process of its own, whose peak memory is given.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk
from deformable_methods import METHODS
from fields import body_points, inverse_points, move, random_field, transform_points
from geometry import turned
from workers import run_fresh

from disa.deform.fields import corner_determinants, sample
from disa.features.network_grid import cells_of, covering_grid
from disa.geometry.grid import Grid

COLUMNS = ("error (mm)", "recovered (mm)", "folds (%)", "Dice", "seconds", "CPU seconds", "peak memory (GB)")


class Work(NamedTuple):
    """One method on one pair, at every amplitude."""

    pair: int
    fixed: Path
    moving: Path
    method: str
    amplitudes: tuple[float, ...]


def measure(work: Work) -> list[list[float]]:
    """COLUMNS at each amplitude."""
    fixed, image = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in (work.fixed, work.moving))
    masks = mask_of(work.fixed), mask_of(work.moving)
    points = body_points(fixed)
    method = METHODS[work.method]
    base = transform_points(method(fixed, turned(image, np.random.default_rng([work.pair, 0]))), points)
    rows = []
    for amplitude in work.amplitudes:
        rng = np.random.default_rng([work.pair, int(amplitude)])
        field = random_field(fixed, rng, amplitude)
        moving = move(image, field, rng)
        wall, cpu = time.perf_counter(), time.process_time()
        transform = method(fixed, moving)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found = transform_points(transform, points)
        mask = None if masks[1] is None else sitk.Resample(masks[1], moving, field, sitk.sitkNearestNeighbor, 0.0)
        rows.append(
            [
                float(np.linalg.norm(found - inverse_points(field, points), axis=1).mean()),
                float(np.linalg.norm(found - inverse_points(field, base), axis=1).mean()),
                100 * folds_of(transform, fixed),
                dice_of(transform, masks[0], mask),
                wall,
                cpu,
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            ]
        )
    return rows


def folds_of(transform: sitk.Transform, image: sitk.Image) -> float:
    nodes = cells_of(covering_grid(Grid.of(image), 4.0), 1)
    return float((corner_determinants(sample(transform, nodes), nodes.step) <= 0).any(axis=-1).mean())


def dice_of(transform: sitk.Transform, fixed: sitk.Image | None, moving: sitk.Image | None) -> float:
    if fixed is None or moving is None:
        return float("nan")
    a = sitk.GetArrayFromImage(fixed) > 0
    b = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkNearestNeighbor, 0.0)) > 0
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def mask_of(path: Path) -> sitk.Image | None:
    beside = path.with_name(path.name.replace(".nii.gz", "_gtv.nii.gz"))
    return sitk.ReadImage(str(beside), sitk.sitkFloat32) if beside.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--amplitudes", type=float, nargs="+", default=[5.0, 10.0, 20.0], help="mm")
    parser.add_argument("--methods", nargs="+", choices=sorted(METHODS), default=list(METHODS))
    parser.add_argument("--processes", type=int, default=1, help="at a time; times mean little unless it is 1")
    arguments = parser.parse_args()

    pairs = list(zip(arguments.images[::2], arguments.images[1::2], strict=True))
    works = [
        Work(pair, *paths, method, tuple(arguments.amplitudes))
        for method in arguments.methods
        for pair, paths in enumerate(pairs)
    ]
    rows: dict[tuple[str, float], list[list[float]]] = defaultdict(list)
    for work, found in zip(works, run_fresh(measure, works, arguments.processes), strict=True):
        for amplitude, numbers in zip(work.amplitudes, found, strict=True):
            rows[work.method, amplitude].append(numbers)
            print(work.fixed.name, amplitude, work.method, *(f"{n:.2f}" for n in numbers), file=sys.stderr, flush=True)
    print("| amplitude (mm) | method |", " | ".join(COLUMNS), "|")
    print("|---" * (2 + len(COLUMNS)) + "|")
    for amplitude in arguments.amplitudes:
        for method in arguments.methods:
            means = np.mean(rows[method, amplitude], axis=0)
            print(f"| {amplitude:g} | {method} |", " | ".join(f"{mean:.2f}" for mean in means), "|")


if __name__ == "__main__":
    main()
