# SPDX-License-Identifier: Apache-2.0
"""Time of one evaluation of DISA, value and derivative, beside one of full LC² and its preparation.

    python benchmarks/registration/evaluation_cost.py FOLDER [--layout eval] [--cases ...] [--threads 1]

DISA at 2 mm: over the 512 descriptors of a search, half of each image, and over as many as the fixed image has; from
the optimisation of 100 poses about the truth. LC² at 2 mm (lc2_registration.py), the value only, medians of 5 about the
same poses. Both on so many threads.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import numpy as np
import SimpleITK as sitk
import torch
from cases import LAYOUTS, Case
from lc2_registration import LC2
from pairs import load

from disa.core import _core
from disa.features.side import open_sides
from disa.geometry.linear import linear_transform
from disa.network.describer import Network
from disa.pose.options import PoseOptions
from disa.pose.schedule import SCHEDULE
from disa.pose.workspace import Workspace

VOXEL = 2.0
"""mm."""


def microseconds(case: Case, model: str, threads: int) -> tuple[float, float, float]:
    """Of DISA over 512 descriptors and over all, and of LC²."""
    pair = load(case, 0, 0)
    fixed, moving = open_sides(pair.fixed, pair.moving, (pair.fixed_mask, pair.moving_mask), Network(model))
    work = Workspace((fixed, moving), None, PoseOptions(model=model, spacing=VOXEL), SCHEDULE)
    search, about = work.initial.search, SCHEDULE.explored
    terms = work.terms(work.whole, SCHEDULE.widest)
    starts = search.draw(about.count, about.rotation, about.translation, 0)
    disa = []
    for samples in (512, int(np.count_nonzero(work.features.weights))):
        began = time.perf_counter()
        settings = _core.StageSettings(
            samples=samples,
            tolerance=SCHEDULE.exploring.tolerance,
            iterations=SCHEDULE.exploring.iterations,
            keep=1,
            distinct=1.0,
            threads=threads,
        )
        stage = search.optimize(starts, terms, settings)
        disa.append(1e6 * (time.perf_counter() - began) / stage.evaluations)
    lc2, times = LC2(pair, 2.0), []
    for parameters in starts[:5]:
        matrix, offset = search.map(parameters)
        pose = linear_transform(np.asarray(matrix).reshape(3, 3), np.asarray(offset), np.asarray(search.centre))
        began = time.perf_counter()
        lc2(pose)
        times.append(1e6 * (time.perf_counter() - began))
    return disa[0], disa[1], float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the images")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="eval")
    parser.add_argument("--cases", nargs="+", help="only those whose name holds one of these")
    parser.add_argument("--model", default="disa-lc2")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(arguments.threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    print(
        "| case | DISA, 512 descriptors (us) | all (us) | LC2 (us) | times 512 | times all |\n|---|---|---|---|---|---|"
    )
    for case in LAYOUTS[arguments.layout](arguments.folder):
        if not arguments.cases or any(part in case.name for part in arguments.cases):
            few, every, lc2 = microseconds(case, arguments.model, arguments.threads)
            print(f"| {case.name} | {few:.1f} | {every:.1f} | {lc2:.0f} | {lc2 / few:.0f} | {lc2 / every:.0f} |")


if __name__ == "__main__":
    main()
