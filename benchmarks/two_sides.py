# SPDX-License-Identifier: Apache-2.0
"""Time of one evaluation, value and derivative, with the samples of one image and with half of each image's.

    python benchmarks/two_sides.py FIXED MOVING [--repeats 7]

Over 512 descriptors, as in a search, and over as many as the fixed image has, on one thread; medians over the repeats,
in turn, of optimisations from 100 poses about where the images lie. Each image is the fixed one in turn.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from disa.core import _core
from disa.features.side import open_sides
from disa.network.describer import Network
from disa.pose.options import PoseOptions
from disa.pose.schedule import SCHEDULE
from disa.pose.workspace import Workspace

Terms = tuple[_core.Term, ...]


def microseconds(work: Workspace, terms: Terms, samples: int) -> float:
    """Of one evaluation."""
    about, effort = SCHEDULE.explored, SCHEDULE.exploring
    starts = work.initial.search.draw(about.count, about.rotation, about.translation, 0)
    settings = _core.StageSettings(
        samples=samples, tolerance=effort.tolerance, iterations=effort.iterations, keep=1, distinct=1.0, threads=1
    )
    began = time.perf_counter()
    stage = work.initial.search.optimize(starts, terms, settings)
    return 1e6 * (time.perf_counter() - began) / stage.evaluations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs=2, type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    print("| fixed | samples | one side (us) | both sides (us) | ratio |\n|---|---|---|---|---|")
    for fixed, moving in (arguments.images, arguments.images[::-1]):
        sides = open_sides(fixed, moving, (None, None), Network())
        work = Workspace(sides, sitk.Euler3DTransform(), PoseOptions(), SCHEDULE)
        both = work.terms(work.whole, SCHEDULE.widest)
        for samples in (512, int(np.count_nonzero(work.features.weights))):
            times = [
                [microseconds(work, terms, samples) for terms in (both[:1], both)] for _ in range(arguments.repeats)
            ]
            one, two = np.median(times, axis=0)
            print(f"| {fixed.name} | {samples} | {one:.1f} | {two:.1f} | {two / one:.2f} |", flush=True)


if __name__ == "__main__":
    main()
