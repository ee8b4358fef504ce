# SPDX-License-Identifier: Apache-2.0
"""`disa cohort` over synthetic pairs: time with one worker and with more, and what sharing descriptors saves.

    python benchmarks/cohort.py [--pairs 20] [--subjects 4] [--size 96] [--workers 1 2] [-- OPTIONS OF disa cohort]

Each subject is a volume of random blobs of 2 mm voxels, the fixed image of several pairs. A moving image is its subject
with other intensities, under a rigid pose of its own, on a grid that is turned and shifted against the fixed one. The
true poses are in the table, so that the error of each pair is known. A worker more means a new folder: nothing of an
earlier run is used.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from command_line import moved_by
from geometry import random_pose, turned

COHORT = [sys.executable, "-c", "from disa.cli.app import app; app()", "cohort"]


def blobs(size: int, rng: np.random.Generator) -> sitk.Image:
    """Regions of blobs at two scales in an ellipsoid, 2 mm voxels."""
    noise = sitk.GetImageFromArray(rng.normal(size=(size,) * 3).astype(np.float32))
    noise.SetSpacing((2.0,) * 3)
    coarse, fine = (sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, s)) for s in (14.0, 5.0))
    values = 2 * np.digitize(coarse / coarse.std(), (-0.5, 0.5)) + np.digitize(fine / fine.std(), (-0.7, 0.7))
    place = np.indices(values.shape) / (size - 1) * 2 - 1
    inside = (place**2 * np.array([1.3, 1.6, 1.2])[:, None, None, None]).sum(axis=0) < 1
    image = sitk.GetImageFromArray(np.where(inside, 1.0 + values, 0.0).astype(np.float32))
    image.CopyInformation(noise)
    return image


def other_contrast(image: sitk.Image, rng: np.random.Generator) -> sitk.Image:
    """Each intensity becomes another one, the background stays."""
    pixels = sitk.GetArrayFromImage(image).astype(int)
    table = np.concatenate([[0.0], rng.permutation(int(pixels.max())) + 1.0])
    result = sitk.GetImageFromArray(table[pixels].astype(np.float32))
    result.CopyInformation(image)
    return result


def make_pairs(folder: Path, pairs: int, subjects: int, size: int, seed: int) -> Path:
    """Write the images and the table."""
    rng = np.random.default_rng(seed)
    rows = []
    for subject in range(subjects):
        fixed = blobs(size, rng)
        sitk.WriteImage(fixed, str(folder / f"fixed{subject}.nii.gz"))
        for pair in range(subject, pairs, subjects):
            pose = random_pose(fixed, rng, (5.0, 40.0))
            moving = moved_by(turned(other_contrast(fixed, rng), rng), pose)
            sitk.WriteImage(moving, str(folder / f"moving{pair}.nii.gz"))
            sitk.WriteTransform(pose, str(folder / f"true{pair}.tfm"))
            rows.append((f"pair-{pair}", f"fixed{subject}.nii.gz", f"moving{pair}.nii.gz", f"true{pair}.tfm"))
    table = folder / "table.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("name", "fixed", "moving", "truth"), *rows])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--size", type=int, default=96, help="voxels a side")
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("options", nargs="*", help="of disa cohort, after --")
    arguments = parser.parse_args()
    print("| workers | seconds | seconds a pair | mean error (mm) | largest |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = make_pairs(folder, arguments.pairs, arguments.subjects, arguments.size, arguments.seed)
        for workers in arguments.workers:
            output = folder / f"out{workers}"
            command = [*COHORT, str(table), "-o", str(output), "--workers", str(workers), *arguments.options]
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - start
            results = [json.loads(path.read_text()) for path in output.glob("*/result.json")]
            errors = [result["errors_mm"]["after"]["mean"] for result in results]
            if len(errors) != arguments.pairs:
                raise SystemExit(f"{len(errors)} of {arguments.pairs} pairs are done")
            cells = (f"{seconds:.1f}", f"{seconds / len(errors):.2f}", f"{np.mean(errors):.2f}", f"{max(errors):.2f}")
            print(f"| {workers} | {' | '.join(cells)} |", flush=True)
    print(f"\n{arguments.pairs} pairs of {arguments.subjects} fixed images, {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
