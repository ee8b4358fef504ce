# SPDX-License-Identifier: Apache-2.0
"""What broken voxels, metal and padding do to a pose, and how many voxels of a folder's images count as outliers.

    python benchmarks/outliers.py FIXED MOVING [--repeats 3]
    python benchmarks/outliers.py --count FOLDER

The pair shares its world space. The moving image is first resampled onto a turned and shifted grid; starts lie 5 to
15 mm off. Each row spoils one image of the pair, fixed and moving in turn, and registers by `disa.register`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from geometry import mean_error, random_pose, sample_points, turned

import disa
from disa.features.preparation import limited

Spoil = Callable[[np.ndarray, np.random.Generator], None]


def voxels(share: float, value: float) -> Spoil:
    """So many of the voxels, one at least, get a value."""

    def spoil(pixels: np.ndarray, rng: np.random.Generator) -> None:
        chosen = rng.choice(pixels.size, max(1, int(share * pixels.size)), replace=False)
        pixels.reshape(-1)[chosen] = value

    return spoil


def block(pixels: np.ndarray, rng: np.random.Generator) -> None:
    """A piece of metal in the middle."""
    middle = tuple(slice(n // 2 - n // 24, n // 2 + n // 24 + 1) for n in pixels.shape)
    pixels[middle] = 30 * np.abs(pixels).max()


SPOILED: dict[str, Spoil] = {
    "nothing": lambda pixels, rng: None,
    "one voxel of 1e6": voxels(0.0, 1e6),
    "one voxel of -1e6": voxels(0.0, -1e6),
    "0.01 % of the voxels at 1e5": voxels(1e-4, 1e5),
    "metal, 30 times the greatest intensity": block,
}


def spoiled(image: sitk.Image, spoil: Spoil, seed: int) -> sitk.Image:
    pixels = sitk.GetArrayFromImage(image)
    spoil(pixels, np.random.default_rng(seed))
    other = sitk.GetImageFromArray(pixels)
    other.CopyInformation(image)
    return other


def measure(fixed: sitk.Image, path: Path, repeats: int) -> None:
    points = sample_points(fixed)
    print("| spoiled | fixed image: median error (mm) | worst | moving image: median | worst |")
    print("|---|---|---|---|---|")
    for name, spoil in SPOILED.items():
        errors: list[list[float]] = [[], []]
        for seed in range(repeats):
            rng = np.random.default_rng([0, seed])
            moving = turned(sitk.ReadImage(str(path), sitk.sitkFloat32), rng)
            pose = random_pose(fixed, rng, (5.0, 15.0), 5.0)
            for pair, found in zip(
                ((spoiled(fixed, spoil, seed), moving), (fixed, spoiled(moving, spoil, seed))), errors, strict=True
            ):
                found.append(mean_error(disa.register(*pair, initial_transform=pose).transform, points))
        cells = (f"{np.median(found):.2f} | {max(found):.2f}" for found in errors)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def count(folder: Path) -> None:
    """Images of a folder, at any depth, some of whose voxels are limited."""
    paths = sorted(folder.rglob("*.nii.gz"))
    print("| image | voxels limited (%) |\n|---|---|")
    for path in paths:
        image = sitk.ReadImage(str(path), sitk.sitkFloat32)
        shown = limited(image)
        if shown is not image:
            changed = sitk.GetArrayFromImage(shown) != sitk.GetArrayFromImage(image)
            print(f"| {path.name} | {100 * changed.mean():.4f} |", flush=True)
    print(f"\n{len(paths)} images")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="*", type=Path, help="fixed and moving image")
    parser.add_argument("--count", type=Path, metavar="FOLDER", help="of images, instead")
    parser.add_argument("--repeats", type=int, default=3, help="grids and starts")
    arguments = parser.parse_args()
    if arguments.count is not None:
        count(arguments.count)
        return
    fixed, moving = arguments.images
    measure(sitk.ReadImage(str(fixed), sitk.sitkFloat32), moving, arguments.repeats)


if __name__ == "__main__":
    main()
