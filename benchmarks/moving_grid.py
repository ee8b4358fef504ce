"""What the moving grid's spacing, stride, axes and smoothing do to the accuracy of a pose, in two extractions.

    python benchmarks/moving_grid.py FIXED MOVING [FIXED MOVING ...] [--poses 2] [--spacing 2] [--degrees 15]

Each pair shares its world space, or is one image twice. The moving image is first resampled onto a grid turned by up to
`--degrees` an axis and shifted by up to 4 voxels; starts lie 5 to 15 mm off. A row takes moving voxels of `ratio` times
the fixed ones, on axes parallel to the fixed ones under the current transform or on the image's own, with fixed and
moving strides as given and the moving descriptors smoothed by a kernel of so many fixed voxels, first and then.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from geometry import mean_error, random_pose, sample_points, turned
from pipelines import ImageType, set_parameters, to_itk

import disa
import itk


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    ratio: float
    strides: tuple[int, int] = (4, 2)
    parallel: bool = True
    smoothing: tuple[float, float] = (0.0, 0.0)


RATIO = 2 / 5**0.5  # the metric's own

VARIANTS = [
    Variant(1.0, (4, 4), parallel=False),
    Variant(1.0, (4, 2), parallel=False),
    Variant(1.0, (4, 4)),
    Variant(RATIO, (4, 4), parallel=False),
    Variant(1.0),
    Variant(RATIO),
    Variant(RATIO, smoothing=(12.0, 6.0)),
]


def register(
    images: tuple[Any, Any], fixed: disa.FeatureVolume, pose: sitk.Euler3DTransform, spacing: float, variant: Variant
) -> sitk.Euler3DTransform:
    """Two optimisations by LBFGS2, each over moving descriptors extracted at its start."""
    transform = itk.Euler3DTransform[itk.D].New()
    transform.SetCenter(pose.GetCenter())
    set_parameters(transform, pose.GetParameters())
    metric = itk.DISAImageToImageMetricv4[ImageType, ImageType].New(
        FixedImage=images[0], MovingImage=images[1], MovingTransform=transform
    )
    metric.SetFixedFeatures(fixed)
    axes = itk.array_from_matrix(images[0].GetDirection())
    for smoothing in variant.smoothing:
        direction = itk.array_from_matrix(transform.GetMatrix()) @ axes if variant.parallel else None
        metric.SetMovingFeatures(
            disa.extract_features(
                images[1],
                spacing=variant.ratio * spacing,
                stride=variant.strides[1],
                smoothing=smoothing * spacing,
                direction=direction,
            )
        )
        metric.Initialize()
        itk.LBFGS2Optimizerv4Template[itk.D].New(Metric=metric).StartOptimization()
    result = sitk.Euler3DTransform(pose)
    result.SetParameters(list(transform.GetParameters()))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--poses", type=int, default=2, help="starts, each with a grid of its own, a pair")
    parser.add_argument("--degrees", type=float, default=15.0, help="the moving grid is turned by, at most")
    parser.add_argument("--spacing", type=float, default=2.0, help="mm between fixed voxels")
    arguments = parser.parse_args()

    errors: dict[Variant, list[float]] = {variant: [] for variant in VARIANTS}
    for fixed_path, moving_path in zip(arguments.images[::2], arguments.images[1::2], strict=True):
        fixed = sitk.ReadImage(str(fixed_path), sitk.sitkFloat32)
        features = disa.extract_features(fixed, spacing=arguments.spacing)
        for seed in range(arguments.poses):
            rng = np.random.default_rng([0, seed])
            moving = turned(sitk.ReadImage(str(moving_path), sitk.sitkFloat32), rng, arguments.degrees)
            pose = random_pose(fixed, rng, (5.0, 15.0), 5.0)
            images = to_itk(fixed), to_itk(moving)
            for variant in VARIANTS:
                found = register(images, features, pose, arguments.spacing, variant)
                errors[variant].append(mean_error(found, sample_points(fixed)))

    print(
        "| ratio | fixed, moving stride | moving axes | smoothing (voxels) | median error (mm) | mean | worst |\n"
        + "|---" * 7
        + "|"
    )
    for variant, values in errors.items():
        print(
            f"| {variant.ratio:.3g} | {variant.strides[0]}, {variant.strides[1]} "
            f"| {'parallel' if variant.parallel else 'own'} | {variant.smoothing[0]:g}, {variant.smoothing[1]:g} "
            f"| {np.median(values):.2f} | {np.mean(values):.2f} | {np.max(values):.2f} |"
        )


if __name__ == "__main__":
    main()
