"""What the moving grid's spacing, stride, axes and smoothing do to the accuracy of a pose, in two extractions.

    python benchmarks/moving_grid.py FIXED MOVING [FIXED MOVING ...] [--poses 2] [--spacing 2] [--degrees 15]

Each pair shares its world space, or is one image twice. The moving image is first resampled onto a grid turned by up to
`--degrees` an axis and shifted by up to 4 voxels; starts lie 5 to 15 mm off. A row takes moving voxels of `ratio` times
the fixed ones, on axes parallel to the fixed ones under the current transform or on the image's own, with fixed and
moving strides as given and the moving descriptors smoothed by a kernel of so many fixed voxels, first and then.
*Flips*: descriptors of both images are means over the eight reflections of the volume. *float*: they are not made int8.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from geometry import mean_error, random_pose, sample_points, turned
from workers import run_all

import disa
from disa.features.network_grid import covering_grid
from disa.features.side import ImageSide
from disa.features.volumes import smooth
from disa.network.describer import Network

Describe = Callable[[npt.NDArray[np.float32], int], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    ratio: float
    strides: tuple[int, int] = (4, 2)
    parallel: bool = True
    smoothing: tuple[float, float] = (0.0, 0.0)
    flips: bool = False
    quantize: bool = True


RATIO = 2 / 5**0.5  # the metric's own

VARIANTS = [
    Variant(1.0, (4, 4), parallel=False),
    Variant(1.0, (4, 2), parallel=False),
    Variant(1.0, (4, 4)),
    Variant(RATIO, (4, 4), parallel=False),
    Variant(1.0, (4, 4), parallel=False, flips=True),
    Variant(1.0),
    Variant(RATIO, parallel=False),
    Variant(RATIO),
    Variant(RATIO, flips=True),
    Variant(RATIO, (4, 1)),
    Variant(RATIO, (2, 2)),
    Variant(RATIO, smoothing=(12.0, 6.0)),
    Variant(RATIO, smoothing=(12.0, 6.0), quantize=False),
]


class Run(NamedTuple):
    """One start of one pair."""

    fixed: Path
    moving: Path
    seed: int
    spacing: float
    degrees: float
    rows: tuple[int, ...]


class FlippedNetwork(Network):
    """The network, averaged over the reflections of the volume along its axes."""

    def describe(self, volume: npt.NDArray[np.float32], stride: int) -> npt.NDArray[np.float32]:
        return mean_over_flips(super().describe, volume, stride)


def mean_over_flips(describe: Describe, volume: npt.NDArray[np.float32], stride: int) -> npt.NDArray[np.float32]:
    cells = [-(-size // stride) for size in volume.shape]
    padded = np.pad(volume, [(0, (n - 1) * stride + 1 - size) for n, size in zip(cells, volume.shape, strict=True)])
    total = np.zeros((*cells, 16), np.float32)
    for count in range(4):
        for axes in itertools.combinations(range(3), count):
            total += np.flip(describe(np.ascontiguousarray(np.flip(padded, axes)), stride), axes)
    return total / 8


def extract(
    image: sitk.Image,
    variant: Variant,
    voxel: float,
    stride: int,
    smoothing: float = 0.0,
    direction: npt.NDArray[np.float64] | None = None,
) -> disa.FeatureVolume:
    side = ImageSide(image, "image", FlippedNetwork() if variant.flips else Network())
    features = side.describe(covering_grid(side.grid, voxel, direction), stride)
    features = features.quantized() if variant.quantize else features
    return smooth(features, smoothing, side.grid) if smoothing > 0 else features


def register(run: Run, images: tuple[sitk.Image, sitk.Image], pose: sitk.Euler3DTransform, variant: Variant) -> float:
    """Error in mm after two optimisations by LBFGS2, each over moving descriptors extracted at its start."""
    fixed, moving = images
    axes = np.reshape(fixed.GetDirection(), (3, 3))
    features = extract(fixed, variant, run.spacing, variant.strides[0])
    transform = sitk.Euler3DTransform(pose)
    for smoothing in variant.smoothing:
        method = disa.ImageRegistrationMethod()
        method.SetMetricAsDISA()
        method.SetMetricFixedFeatures(features)
        method.SetMetricMovingFeatures(
            extract(
                moving,
                variant,
                variant.ratio * run.spacing,
                variant.strides[1],
                smoothing=smoothing * run.spacing,
                direction=np.reshape(transform.GetMatrix(), (3, 3)) @ axes if variant.parallel else None,
            )
        )
        method.SetOptimizerAsLBFGS2()
        method.SetInitialTransform(transform, inPlace=True)
        method.Execute(fixed, moving)
    return mean_error(transform, sample_points(fixed))


def errors(run: Run) -> list[float]:
    """Of each row, from one start."""
    rng = np.random.default_rng([0, run.seed])
    fixed = sitk.ReadImage(str(run.fixed), sitk.sitkFloat32)
    moving = turned(sitk.ReadImage(str(run.moving), sitk.sitkFloat32), rng, run.degrees)
    pose = random_pose(fixed, rng, (5.0, 15.0), 5.0)
    return [register(run, (fixed, moving), pose, VARIANTS[row]) for row in run.rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--poses", type=int, default=2, help="starts, each with a grid of its own, a pair")
    parser.add_argument("--degrees", type=float, default=15.0, help="the moving grid is turned by, at most")
    parser.add_argument("--spacing", type=float, default=2.0, help="mm between fixed voxels")
    parser.add_argument("--rows", type=int, nargs="+", default=range(len(VARIANTS)), help="of the table, from 0")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()

    runs = [
        Run(fixed, moving, seed, arguments.spacing, arguments.degrees, tuple(arguments.rows))
        for fixed, moving in zip(arguments.images[::2], arguments.images[1::2], strict=True)
        for seed in range(arguments.poses)
    ]
    rows = []
    for run, values in zip(runs, run_all(errors, runs, arguments.processes), strict=True):
        rows.append(values)
        print(f"{run.fixed.name} / {run.moving.name}:", *(f"{value:.2f}" for value in values), file=sys.stderr)
    table = np.array(rows)
    print(
        "| ratio | fixed, moving stride | moving axes | smoothing (voxels) | | median error (mm) | mean | worst |\n"
        + "|---" * 8
        + "|"
    )
    for row, values in zip(arguments.rows, table.T, strict=True):
        variant = VARIANTS[row]
        extra = "flips" if variant.flips else "" if variant.quantize else "float"
        print(
            f"| {variant.ratio:.3g} | {variant.strides[0]}, {variant.strides[1]} "
            f"| {'parallel' if variant.parallel else 'own'} | {variant.smoothing[0]:g}, {variant.smoothing[1]:g} "
            f"| {extra} | {np.median(values):.2f} | {np.mean(values):.2f} | {np.max(values):.2f} |"
        )


if __name__ == "__main__":
    main()
