# SPDX-License-Identifier: Apache-2.0
"""Seconds that reading an image takes, and what of it is the check that each voxel lies where its file has it.

python benchmarks/reading.py: a NIfTI file of 256 x 256 x 256 voxels and a DICOM series of 150 slices, made up here.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

import disa

REPEATS = 5


def made_up(size: tuple[int, int, int]) -> sitk.Image:
    """Smooth noise of 16 bits, as hard to compress as a scan; (x, y, z) size."""
    noise = np.random.default_rng(0).normal(0, 20, size[::-1])
    wave = 500 * np.sin(np.indices(size[::-1]).sum(axis=0) / 17)
    image = sitk.GetImageFromArray((noise + wave).astype(np.int16))
    image.SetSpacing((0.9, 0.9, 2.0))
    return image


def write_series(image: sitk.Image, folder: Path) -> None:
    """One DICOM file a slice."""
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    folder.mkdir()
    for number in range(image.GetSize()[2]):
        one = image[:, :, number : number + 1]
        for tag, value in (("0020|000e", "1.2.3"), ("0008|0018", f"1.2.3.{number + 1}"), ("0008|0060", "CT")):
            one.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{number:04d}.dcm"))
        writer.Execute(one)


def by_simpleitk(path: Path) -> sitk.Image:
    """As one reads it without this package."""
    if path.is_dir():
        return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)))
    return sitk.ReadImage(str(path))


def seconds(read: Callable[[Path], sitk.Image], path: Path) -> float:
    """The median of some calls."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        read(path)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        volume = made_up((256, 256, 256))
        files = {"256^3 NIfTI, compressed": folder / "a.nii.gz", "256^3 NIfTI, plain": folder / "b.nii"}
        for path in files.values():
            sitk.WriteImage(volume, str(path))
        write_series(made_up((512, 512, 150)), folder / "series")
        files["150 slices of 512 x 512, DICOM"] = folder / "series"
        print("| what | SimpleITK | disa.read_image |\n|---|---|---|")
        for what, path in files.items():
            print(f"| {what} | {seconds(by_simpleitk, path):.2f} s | {seconds(disa.read_image, path):.2f} s |")


if __name__ == "__main__":
    main()
