"""Nanoseconds a point for value and derivative, DISA beside ITK's Mattes metric in the same run.

    python benchmarks/metric_speed.py [--size 128] [--repeats 15] [--work-units 1]

Both metrics see the same pair of random smooth volumes at 1 mm and a rigid transform; medians over the repeats,
which take turns. Mattes visits every voxel of the virtual domain, DISA every cell of the fixed descriptors.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

import itk

ImageType = itk.Image[itk.F, 3]


def smooth_volume(size: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    noise = itk.image_from_array(rng.normal(size=(size,) * 3).astype(np.float32))
    return itk.smoothing_recursive_gaussian_image_filter(noise, sigma=3.0)


def make_transform(size: int) -> Any:
    transform = itk.Euler3DTransform[itk.D].New()
    transform.SetCenter([size / 2] * 3)
    transform.SetRotation(0.05, -0.08, 0.1)
    transform.SetTranslation([2.3, -1.1, 3.7])
    return transform


def make_metric(kind: Any, size: int, work_units: int, **settings: Any) -> Any:
    metric = kind.New(
        FixedImage=smooth_volume(size, 0),
        MovingImage=smooth_volume(size, 1),
        MovingTransform=make_transform(size),
    )
    for name, value in settings.items():
        getattr(metric, f"Set{name}")(value)
    metric.SetMaximumNumberOfWorkUnits(work_units)
    metric.Initialize()
    return metric


def seconds(metric: Any, derivative: bool, calls: int) -> float:
    result = itk.Array[itk.D](metric.GetNumberOfParameters())
    start = time.perf_counter()
    for _ in range(calls):
        if derivative:
            metric.GetDerivative(result)
        else:
            metric.GetValue()
    return (time.perf_counter() - start) / calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="voxels along each side, 1 mm each")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--work-units", type=int, default=1)
    arguments = parser.parse_args()
    size, units = arguments.size, arguments.work_units

    metrics = {
        "DISA": make_metric(
            itk.DISAImageToImageMetricv4[ImageType, ImageType], size, units, FeatureSpacing=1.0, FixedStride=2
        ),
        "Mattes": make_metric(itk.MattesMutualInformationImageToImageMetricv4[ImageType, ImageType], size, units),
    }
    calls = {"DISA": 20, "Mattes": 1}
    times: dict[tuple[str, bool], list[float]] = {(name, d): [] for name in metrics for d in (True, False)}
    for _ in range(arguments.repeats):
        for (name, derivative), taken in times.items():
            taken.append(seconds(metrics[name], derivative, calls[name]))

    from disa.core import _core

    print(f"{size}^3 voxels, {units} work unit(s), kernel {_core.kernel()}\n")
    print("| metric | points | value and derivative (ns a point) | value (ns a point) | value and derivative (ms) |")
    print("|---|---|---|---|---|")
    each = {}
    for name, metric in metrics.items():
        metric.GetValue()
        points = metric.GetNumberOfValidPoints()
        both, value = (statistics.median(times[name, d]) for d in (True, False))
        each[name] = both / points
        print(f"| {name} | {points} | {1e9 * both / points:.1f} | {1e9 * value / points:.1f} | {1e3 * both:.2f} |")
    print(f"\nMattes / DISA, a point: {each['Mattes'] / each['DISA']:.1f}")


if __name__ == "__main__":
    main()
