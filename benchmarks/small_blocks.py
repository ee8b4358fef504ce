# SPDX-License-Identifier: Apache-2.0
"""Overlap of a structure that is labelled in two small images, as their headers have it and after registration.

    python benchmarks/small_blocks.py ONE OTHER ONE_LABELS OTHER_LABELS

Each image is the fixed one in turn. The other's labels are resampled onto its labels by nearest neighbours. Searches
start from the headers; the images' grids are of different orientations, so none is turned.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import SimpleITK as sitk

import disa


def dice(transform: sitk.Transform, fixed: sitk.Image, moving: sitk.Image) -> float:
    a = sitk.GetArrayFromImage(fixed) > 0
    b = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkNearestNeighbor, 0.0)) > 0
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs=2, type=Path)
    parser.add_argument("labels", nargs=2, type=Path)
    arguments = parser.parse_args()
    images = [sitk.ReadImage(str(path), sitk.sitkFloat32) for path in arguments.images]
    labels = [sitk.ReadImage(str(path)) for path in arguments.labels]
    headers = sitk.Euler3DTransform()
    print("| fixed | method | voxel spacing (mm) | Dice | seconds |\n|---|---|---|---|---|")
    for fixed, moving in ((0, 1), (1, 0)):
        name = arguments.images[fixed].name
        print(f"| {name} | headers | | {dice(headers, labels[fixed], labels[moving]):.3f} | |")
        for spacing in (2.0, None):
            for register in (disa.register, disa.global_register):
                began = time.perf_counter()
                result = register(images[fixed], images[moving], initial_transform=headers, spacing=spacing)
                seconds = time.perf_counter() - began
                told = f"{result.voxel_spacing:.3g}{'' if spacing else ', automatic'}"
                found = dice(result.transform, labels[fixed], labels[moving])
                print(f"| {name} | {register.__name__} | {told} | {found:.3f} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
