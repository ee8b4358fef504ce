"""What the smoothing of the moving descriptors does to transforms that may scale.

    python benchmarks/affine_accuracy.py FIXED MOVING [FIXED MOVING ...] [--poses 3] [--smoothings 24 12 6 0]

Each pair shares its world space, so the identity is the truth, and the moving image is first resampled onto a grid
turned by up to 15 degrees an axis and shifted by up to 4 voxels. Each random start, off by up to 25 mm and by up to 6 %
in each entry of the matrix, is registered by an affine transform and LBFGS2 at three levels, with each first smoothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from geometry import random_pose, sample_points, turned

import disa


def mean_error(transform: sitk.AffineTransform, points: np.ndarray) -> float:
    return float(np.mean([np.linalg.norm(np.subtract(transform.TransformPoint(p), p)) for p in points.tolist()]))


def random_affine(image: sitk.Image, rng: np.random.Generator) -> sitk.AffineTransform:
    pose = random_pose(image, rng, (0.0, 25.0), 12.0)
    matrix = np.reshape(pose.GetMatrix(), (3, 3)) @ (np.eye(3) + rng.uniform(-0.06, 0.06, (3, 3)))
    return sitk.AffineTransform(matrix.ravel().tolist(), pose.GetTranslation(), pose.GetCenter())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--poses", type=int, default=3, help="random starts a pair")
    parser.add_argument("--smoothings", type=float, nargs="+", default=[24.0, 12.0, 6.0, 0.0], help="mm")
    arguments = parser.parse_args()
    errors: dict[float, list[float]] = {smoothing: [] for smoothing in arguments.smoothings}
    scales: dict[float, list[float]] = {smoothing: [] for smoothing in arguments.smoothings}
    starts: list[float] = []
    print("| pair | smoothing | median error (mm) | worst | median scale | least |\n|---|---|---|---|---|---|")
    for fixed_path, moving_path in zip(arguments.images[::2], arguments.images[1::2], strict=True):
        rng = np.random.default_rng(0)
        fixed = sitk.ReadImage(str(fixed_path), sitk.sitkFloat32)
        moving = turned(sitk.ReadImage(str(moving_path), sitk.sitkFloat32), rng)
        points = sample_points(fixed, 20.0)
        initial = [random_affine(fixed, rng) for _ in range(arguments.poses)]
        starts += [mean_error(pose, points) for pose in initial]
        method = disa.ImageRegistrationMethod()
        method.SetOptimizerAsLBFGS2()
        method.SetShrinkFactorsPerLevel([1] * 3)
        method.SetSmoothingSigmasPerLevel([0] * 3)
        for smoothing in arguments.smoothings:
            method.SetMetricAsDISA(smoothing=smoothing)
            for pose in initial:
                transform = sitk.AffineTransform(pose)
                method.SetInitialTransform(transform, inPlace=True)
                method.Execute(fixed, moving)
                errors[smoothing].append(mean_error(transform, points))
                scales[smoothing].append(float(np.cbrt(np.linalg.det(np.reshape(transform.GetMatrix(), (3, 3))))))
            report(f"{fixed_path.name} / {moving_path.name}", smoothing, errors, scales, arguments.poses)
    for smoothing in arguments.smoothings:
        report(f"all, starts {np.median(starts):.1f}", smoothing, errors, scales, len(starts))


def report(
    name: str, smoothing: float, errors: dict[float, list[float]], scales: dict[float, list[float]], last: int
) -> None:
    error, scale = errors[smoothing][-last:], scales[smoothing][-last:]
    print(
        f"| {name} | {smoothing:g} | {np.median(error):.2f} | {max(error):.2f} | {np.median(scale):.3f} "
        f"| {min(scale):.3f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
