# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of the metric beside ITK's own: the same volumes and threads, medians over repeats that take turns.

Of one work unit the processor's time is taken, so that other work on the machine counts for little; of more, and in
`growth`, the time that passes.

    python benchmarks/metric_speed.py [transforms] [--size 128] [--repeats 9] [--work-units 1] [--impact]
    python benchmarks/metric_speed.py kernels [--size 128] [--repeats 9]
    python benchmarks/metric_speed.py growth [--sizes 64 128 256] [--repeats 9]
    python benchmarks/metric_speed.py all    all of these and metric_slopes.py, in one run

`transforms`: value and derivative for one point, and for one evaluation of a pair of random smooth volumes at 1 mm,
under each transform. ITK's metrics visit every voxel of the virtual domain, DISA every cell of the fixed descriptors
(stride 2, so an eighth as many); under a displacement field of 2 mm, whose voxels the virtual domain must have, both
have as many points. Under a B-spline ITK's metrics write every parameter at every point, so they get 500
random points, and an evaluation of all voxels is put down as a multiple of that (≤: what they do once is counted, too).
`--impact` adds itk-impact's metric over 16 channels, always with 500 points.

`kernels`: DISA under rigid and affine transforms by each kernel of this processor, on one work unit, each in a process
of its own. The bytes that must move are those of the samples (16 of descriptor, 4 of weight, 12 of coordinates) and 16
for every moving cell, once an evaluation; the bandwidth is that of NumPy's sum of 512 MB, measured in the same process.

`growth`: DISA under a rigid transform over n^3 fixed and n^3 moving cells, ready-made, on 1 and 2 work units, each n in
a process of its own, whose peak memory is that of everything it did (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import metric_slopes
import numpy as np

import itk
from disa.core import FeatureVolume, _core

ImageType = itk.Image[itk.F, 3]
DISA = itk.DISAImageToImageMetricv4[ImageType, ImageType]
METRICS = {
    "DISA": DISA,
    "mean squares": itk.MeanSquaresImageToImageMetricv4[ImageType, ImageType],
    "correlation": itk.CorrelationImageToImageMetricv4[ImageType, ImageType],
    "Mattes": itk.MattesMutualInformationImageToImageMetricv4[ImageType, ImageType],
    "ANTS correlation": itk.ANTSNeighborhoodCorrelationImageToImageMetricv4[ImageType, ImageType],
}
SAMPLED_POINTS = 500
QUESTIONS = ("transforms", "kernels", "growth", "all", "kernel", "grow")  # the last two: for processes of their own


def smooth_volume(size: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    noise = itk.image_from_array(rng.normal(size=(size,) * 3).astype(np.float32))
    return itk.smoothing_recursive_gaussian_image_filter(noise, sigma=3.0)


def rigid(size: float) -> Any:
    transform = itk.Euler3DTransform[itk.D].New()
    transform.SetCenter([size / 2] * 3)
    transform.SetRotation(0.05, -0.08, 0.1)
    transform.SetTranslation([2.3, -1.1, 3.7])
    return transform


def affine(size: float) -> Any:
    transform = itk.AffineTransform[itk.D, 3].New()
    transform.SetCenter([size / 2] * 3)
    transform.SetMatrix(itk.matrix_from_array(np.array([[1.01, 0.1, 0.0], [-0.1, 0.98, 0.05], [0.0, -0.05, 1.0]])))
    transform.SetTranslation([2.3, -1.1, 3.7])
    return transform


def b_spline(nodes: int) -> Callable[[int], Any]:
    def make(size: int) -> Any:
        transform = itk.BSplineTransform[itk.D, 3, 3].New()
        transform.SetTransformDomainPhysicalDimensions([float(size)] * 3)
        transform.SetTransformDomainMeshSize([nodes - 3] * 3)
        return displaced(transform)

    return make


def grid(kind: Any, size: int, spacing: int) -> Any:
    """An image of the volumes' extent."""
    image = kind.New()
    image.SetRegions([size // spacing] * 3)
    image.SetSpacing([float(spacing)] * 3)
    image.SetOrigin([(spacing - 1) / 2] * 3)
    image.AllocateInitialized()
    return image


def displacement_field(spacing: int) -> Callable[[int], Any]:
    def make(size: int) -> Any:
        transform = itk.DisplacementFieldTransform[itk.D, 3].New()
        transform.SetDisplacementField(grid(itk.Image[itk.Vector[itk.D, 3], 3], size, spacing))
        return displaced(transform)

    return make


def displaced(transform: Any) -> Any:
    parameters = np.random.default_rng(2).normal(size=transform.GetNumberOfParameters())
    transform.SetParameters(itk.OptimizerParameters[itk.D](parameters.tolist()))
    return transform


TRANSFORMS: dict[str, Callable[[int], Any]] = {
    "rigid": rigid,
    "affine": affine,
    "B-spline, 5³ nodes": b_spline(5),
    "B-spline, 10³ nodes": b_spline(10),
    "B-spline, 20³ nodes": b_spline(20),
    "displacement field, 1 mm": displacement_field(1),
    "displacement field, 2 mm": displacement_field(2),
}


def sampled_points(size: int) -> Any:
    points = itk.PointSet[itk.F, 3].New()
    for i, point in enumerate(np.random.default_rng(3).uniform(8, size - 8, (SAMPLED_POINTS, 3))):
        points.SetPoint(i, point.tolist())
    return points


def seconds(metric: Any, derivative: bool, calls: int, clock: Callable[[], float]) -> float:
    result = itk.Array[itk.D](metric.GetNumberOfParameters())
    start = clock()
    for _ in range(calls):
        if derivative:
            metric.GetDerivative(result)
        else:
            metric.GetValue()
    return (clock() - start) / calls


def measure_transforms(size: int, repeats: int, work_units: int, impact: bool) -> None:
    clock = time.process_time if work_units == 1 else time.perf_counter
    images = {"FixedImage": smooth_volume(size, 0), "MovingImage": smooth_volume(size, 1)}
    print(f"{size}³ voxels, {work_units} work unit(s), kernel {_core.kernel()}, medians of {repeats}\n")
    print("| transform | metric | points | value and derivative (ns a point) | times DISA | value (ns a point) "
          "| value and derivative (ms) | times DISA |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    metrics = {name: kind.New(**images) for name, kind in METRICS.items()}
    if impact:
        from impact import make_impact

        metrics["IMPACT"] = make_impact(work_units, **images)
    metrics["DISA"].SetFeatureSpacing(1.0)
    metrics["DISA"].SetFixedStride(2)
    for transform_name, make_transform in TRANSFORMS.items():
        sampled = {"IMPACT", *(set(METRICS) - {"DISA"} if transform_name.startswith("B-spline") else ())}
        for name, metric in metrics.items():
            metric.SetMovingTransform(make_transform(size))
            metric.SetVirtualDomainFromImage(grid(ImageType, size, 2 if transform_name.endswith("2 mm") else 1))
            metric.SetMaximumNumberOfWorkUnits(work_units)
            if name != "DISA":
                metric.SetFixedSampledPointSet(sampled_points(size))
                metric.SetUseSampledPointSet(name in sampled)
            metric.Initialize()
        times: dict[tuple[str, bool], list[float]] = {(name, d): [] for name in metrics for d in (True, False)}
        for _ in range(repeats):
            for (name, derivative), taken in times.items():
                taken.append(seconds(metrics[name], derivative, 5 if name == "DISA" else 1, clock))
        reference: tuple[float, float] | None = None
        for name, metric in metrics.items():
            both, value = (statistics.median(times[name, d]) for d in (True, False))
            metric.GetValue()
            points = metric.GetNumberOfValidPoints()
            extrapolated = name in sampled
            whole = both * size**3 / SAMPLED_POINTS if extrapolated else both
            reference = reference or (both / points, whole)
            print(
                f"| {transform_name} | {name} | {points} "
                f"| {1e9 * both / points:.1f} | {both / points / reference[0]:.1f} "
                f"| {1e9 * value / points:.1f} | {'≤ ' * extrapolated}{1e3 * whole:.1f} | {whole / reference[1]:.0f} |",
                flush=True,
            )


def bandwidth() -> float:
    """Bytes a second that one thread reads."""
    numbers = np.ones(1 << 26)
    times = []
    for _ in range(5):
        start = time.process_time()
        numbers.sum()
        times.append(time.process_time() - start)
    return numbers.nbytes / statistics.median(times)


def measure_kernel(size: int, repeats: int) -> None:
    """Two rows, by the kernel that DISA_KERNEL names."""
    images = {"FixedImage": smooth_volume(size, 0), "MovingImage": smooth_volume(size, 1)}
    metric = DISA.New(**images, FeatureSpacing=1.0, FixedStride=2)
    for name in ("rigid", "affine"):
        metric.SetMovingTransform(TRANSFORMS[name](size))
        metric.SetMaximumNumberOfWorkUnits(1)
        metric.Initialize()
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(repeats):
            for derivative, taken in times.items():
                taken.append(seconds(metric, derivative, 5, time.process_time))
        both, value = (statistics.median(taken) for taken in times.values())
        metric.GetValue()
        samples = metric.GetNumberOfValidPoints()
        moving = metric.GetMovingFeatures().weights.size
        rate = (32 * samples + 16 * moving) / both
        print(
            f"| {_core.kernel()} | {name} | {1e9 * both / samples:.1f} | {1e9 * min(times[True]) / samples:.1f} "
            f"| {1e9 * value / samples:.1f} | {(32 * samples + 16 * moving) / samples:.0f} | {rate / 1e9:.1f} "
            f"| {100 * rate / bandwidth():.0f} % |",
            flush=True,
        )


def measure_kernels(size: int, repeats: int) -> None:
    print(f"{size}³ voxels, one work unit, medians of {repeats}\n")
    print("| kernel | transform | value and derivative (ns a point) | the least of them | value (ns a point) "
          "| bytes a point | GB/s | of the bandwidth |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for kernel in _core.kernels():
        command = [sys.executable, __file__, "kernel", "--size", str(size), "--repeats", str(repeats)]
        subprocess.run(command, check=True, env=os.environ | {"DISA_KERNEL": kernel})


def grow(size: int, repeats: int) -> None:
    """One row's figures, as JSON, for a process of its own."""
    base = memory("VmRSS")
    data = np.empty((size,) * 3 + (16,), np.int8)
    rng = np.random.default_rng(0)
    for z in range(size):
        data[z] = rng.integers(-127, 128, data.shape[1:], dtype=np.int8)
    weights = np.ones(data.shape[:3], np.float32)
    features = FeatureVolume(
        data=data, scale=0.01, weights=weights, origin=(0, 0, 0), spacing=(1, 1, 1), direction=np.eye(3).ravel()
    )
    del data, weights
    box = itk.image_from_array(np.zeros((2, 2, 2), np.float32))
    box.SetOrigin([size / 4 - 0.5] * 3)
    box.SetSpacing([size / 2] * 3)
    metric = DISA.New(FixedImage=box, MovingImage=box, MovingTransform=rigid(size))
    metric.SetFixedFeatures(features)
    metric.SetMovingFeatures(features)
    metric.Initialize()
    report: dict[str, float] = {"held": memory("VmRSS"), "peak": memory("VmHWM"), "base": base}
    taken: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeats):
        for units, times in taken.items():
            metric.SetMaximumNumberOfWorkUnits(units)
            times.append(seconds(metric, True, 1, time.perf_counter))
    print(json.dumps(report | {str(units): statistics.median(times) for units, times in taken.items()}))


def memory(kind: str) -> float:
    """Bytes of this process, from Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(kind))


def measure_growth(sizes: list[int], repeats: int) -> None:
    print(f"kernel {_core.kernel()}, medians of {repeats}\n")
    print("| cells, fixed and moving | 1 work unit (ns a point) | 2 (ns a point) | 1 (ms) | 2 (ms) | speed-up "
          "| memory in use (GB) | bytes a cell | peak (GB) |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for size in sizes:
        command = [sys.executable, __file__, "grow", "--sizes", str(size), "--repeats", str(repeats)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        one, two, cells = row["1"], row["2"], size**3
        print(
            f"| {size}³ | {1e9 * one / cells:.1f} | {1e9 * two / cells:.1f} | {1e3 * one:.1f} | {1e3 * two:.1f} "
            f"| {one / two:.2f} | {row['held'] / 1e9:.2f} | {(row['held'] - row['base']) / cells:.0f} "
            f"| {row['peak'] / 1e9:.2f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", nargs="?", default="transforms", choices=QUESTIONS)
    parser.add_argument("--size", type=int, default=128, help="voxels along each side, 1 mm each")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256], help="cells along each side")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--work-units", type=int, default=1)
    parser.add_argument("--impact", action="store_true", help="beside itk-impact's metric, which needs its package")
    arguments = parser.parse_args()
    size, repeats = arguments.size, arguments.repeats
    if arguments.question in ("transforms", "all"):
        measure_transforms(size, repeats, arguments.work_units, arguments.impact)
    if arguments.question in ("kernels", "all"):
        measure_kernels(size, repeats)
    if arguments.question in ("growth", "all"):
        measure_growth(arguments.sizes, repeats)
    if arguments.question == "all":
        metric_slopes.measure(5)
    if arguments.question == "kernel":
        measure_kernel(size, repeats)
    if arguments.question == "grow":
        grow(arguments.sizes[0], repeats)


if __name__ == "__main__":
    main()
