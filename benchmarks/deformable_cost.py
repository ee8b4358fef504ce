# SPDX-License-Identifier: Apache-2.0
"""Time and memory of `disa.deformable_register` as the volumes and the search grow.

    python benchmarks/deformable_cost.py [--sizes 96 128 192] [--radii 8 16 24 32] [--strides 4 2] [--cores 2]
        [--fold-free]

Volumes of so many voxels of 2 mm a side, blurred noise that fills them, the moving one deformed by up to 10 mm on a
turned grid. Radii other than 24 mm at the least size only. Each run has a process of its own and so many cores.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk
from fields import move, random_field
from workers import run_fresh

import disa

SPACING = 2.0
RADIUS = 24.0


class Work(NamedTuple):
    size: int  # voxels a side
    radius: float  # mm
    stride: int
    cores: int
    fold_free: bool


class Cost(NamedTuple):
    seconds: float
    cpu_seconds: float
    network: float  # seconds for descriptors
    search: float
    refinement: float
    composition: float  # and the flow, if the field is to be fold-free
    gigabytes: float  # peak of the process
    before: float  # in use before the registration, images included


def measure(work: Work) -> Cost:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: work.cores])
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(work.cores)
    rng = np.random.default_rng(0)
    noise = sitk.GetImageFromArray(rng.normal(size=(work.size,) * 3).astype(np.float32))
    noise.SetSpacing((SPACING,) * 3)
    fixed = sitk.SmoothingRecursiveGaussian(noise, 8.0)
    moving = move(fixed, random_field(fixed, rng, 10.0), rng)
    del noise
    disa.extract_features(fixed[:40, :40, :40], stride=work.stride)  # opens the network
    before = peak()
    wall, cpu = time.perf_counter(), time.process_time()
    result = disa.deformable_register(
        fixed, moving, radius=work.radius, stride=work.stride, fold_free=work.fold_free, threads=work.cores
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    times = result.times
    network = times["fixed descriptors"] + times["moving descriptors"]
    stages = (times[name] for name in ("search", "refinement", "composition"))
    return Cost(wall, cpu, network, *stages, peak(), before)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 128, 192], help="voxels a side")
    parser.add_argument("--radii", type=float, nargs="+", default=[8.0, 16.0, 24.0, 32.0], help="mm")
    parser.add_argument("--strides", type=int, nargs="+", choices=(4, 2, 1), default=[4, 2])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--fold-free", action="store_true", help="with the flow and its inverse")
    arguments = parser.parse_args()
    works = [
        Work(size, radius, stride, arguments.cores, arguments.fold_free)
        for stride in arguments.strides
        for size in arguments.sizes
        for radius in arguments.radii
        if radius == RADIUS or size == min(arguments.sizes)
    ]
    names = (
        "seconds",
        "CPU seconds",
        "network",
        "search",
        "refinement",
        "composition",
        "peak memory (GB)",
        "of it before (GB)",
    )
    print("| stride | voxels | radius (mm) |", " | ".join(names), "|")
    print("|---" * (3 + len(names)) + "|")
    for work, cost in zip(works, run_fresh(measure, works, 1), strict=True):
        numbers = " | ".join(f"{number:.2f}" for number in cost)
        print(f"| {work.stride} | {work.size}³ | {work.radius:g} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
