# SPDX-License-Identifier: Apache-2.0
"""The paper's Table 2: deformable registration of Learn2Reg's AbdomenMRCT, measured on its organ labels.

    python benchmarks/deformable_abdomen.py FOLDER [--methods ...] [--processes 1]

FOLDER is the dataset as published; its training pairs, which have labels, are registered both ways, named by the fixed
image. Labels are moved by nearest neighbour. DSC: quantiles of the Dice coefficient over all pairs and organs. HD95:
mean over them of the 95th percentile of the distances between the borders of both labels, the larger of the two ways,
NaN where an organ is lost. Folds as in deformable.py.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

sys.path.append(str(Path(__file__).parent / "registration"))

import learn2reg
from deformable import folds_of
from deformable_methods import METHODS
from published import check_files
from workers import run_fresh

from disa.errors import ImageError
from disa.evaluation import dice, hausdorff95, labels_of

QUANTILES = (0.25, 0.5, 0.75)


class Work(NamedTuple):
    """One method on one pair, one way."""

    direction: str
    fixed: Path
    moving: Path
    method: str


class Outcome(NamedTuple):
    dice: list[float]  # one for each organ of the fixed label, likewise
    hausdorff: list[float]  # mm
    folds: float  # share
    seconds: float
    cpu_seconds: float


def measure(work: Work) -> Outcome:
    fixed, moving = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in (work.fixed, work.moving))
    wall, cpu = time.perf_counter(), time.process_time()
    transform = METHODS[work.method](fixed, moving)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    truth, label = (sitk.ReadImage(str(label_of(path)), sitk.sitkUInt8) for path in (work.fixed, work.moving))
    moved = sitk.Resample(label, truth, transform, sitk.sitkNearestNeighbor, 0)
    organs = labels_of(truth)
    overlaps = [dice(truth, moved, organ) for organ in organs]
    hausdorff = [hausdorff95(truth, moved, organ) for organ in organs]
    return Outcome(overlaps, hausdorff, folds_of(transform, fixed), wall, cpu)


def label_of(image: Path) -> Path:
    return image.parent.parent / "labelsTr" / image.name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", nargs="+", choices=sorted(METHODS), default=list(METHODS))
    parser.add_argument("--processes", type=int, default=1, help="at a time; times mean little unless it is 1")
    arguments = parser.parse_args()

    try:
        pairs = learn2reg.find(arguments.folder)
        labels = [label_of(image) for pair in pairs for image in (pair.fixed, pair.moving)]
        check_files(labels, f"{learn2reg.TASK} has labels of its training pairs")
    except ImageError as error:
        parser.error(str(error))
    works = [
        Work(*way, method)
        for method in arguments.methods
        for pair in pairs
        for way in (("MR", pair.fixed, pair.moving), ("CT", pair.moving, pair.fixed))
    ]
    outcomes: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for work, outcome in zip(works, run_fresh(measure, works, arguments.processes), strict=True):
        outcomes[work.direction, work.method].append(outcome)
        print(work.fixed.name, work.method, f"Dice {np.mean(outcome.dice):.3f}", file=sys.stderr, flush=True)
    print("| fixed | method | pairs | DSC25 | DSC50 | DSC75 | HD95 (mm) | folds (%) | seconds | CPU seconds |")
    print("|---" * 10 + "|")
    for (direction, method), some in outcomes.items():
        quantiles = np.quantile(np.concatenate([outcome.dice for outcome in some]), QUANTILES)
        hausdorff = np.mean(np.concatenate([outcome.hausdorff for outcome in some]))
        rest = (100 * np.mean([o.folds for o in some]), *(np.mean([o[i] for o in some]) for i in (3, 4)))
        print(
            f"| {direction} | {method} | {len(some)} |",
            " | ".join([*(f"{q:.3f}" for q in quantiles), f"{hausdorff:.2f}", *(f"{n:.2f}" for n in rest)]),
            "|",
        )


if __name__ == "__main__":
    main()
