"""Pack a folder of images into one training cache: python -m disa.training.prepare --help."""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from numpy.typing import NDArray

from disa.training.lc2 import local_variance
from disa.training.volumes import SPACING_MM, FloatArray, VolumeInfo, save_cache

AIR_VARIANCE = 1e-3
AIR_BORDER = 8


def resample(image: sitk.Image, spacing_mm: float = SPACING_MM) -> sitk.Image:
    """The image as float32 at isotropic spacing, smoothed first along axes that get coarser."""
    image = sitk.Cast(image, sitk.sitkFloat32)
    spacing = np.array(image.GetSpacing())
    if np.allclose(spacing, spacing_mm, atol=1e-3):
        return image
    sigma = 0.5 * np.sqrt(np.maximum(spacing_mm**2 - spacing**2, 0))
    for axis in np.flatnonzero(sigma):
        image = sitk.RecursiveGaussian(image, float(sigma[axis]), direction=int(axis))
    size = np.ceil(np.array(image.GetSize()) * spacing / spacing_mm).astype(int)
    # The outer faces of the first voxels coincide.
    shift = np.array(image.GetDirection()).reshape(3, 3) @ (spacing_mm - spacing) / 2
    return sitk.Resample(
        image, size.tolist(), sitk.Transform(), sitk.sitkLinear,
        (np.array(image.GetOrigin()) + shift).tolist(), [spacing_mm] * 3, image.GetDirection(),
        float(sitk.GetArrayViewFromImage(image).min()),
    )  # fmt: skip


def affine_of(image: sitk.Image) -> NDArray[np.float64]:
    """(4, 4) matrix from voxel index (x, y, z) to world (LPS) in mm."""
    affine = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    affine[:3, :3] = direction * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


def normalise(intensities: FloatArray) -> FloatArray:
    """Zero mean and unit standard deviation over the whole volume (paper, section 3)."""
    centred = intensities - intensities.mean()
    return np.asarray(centred / max(float(intensities.std()), 1e-6), dtype=np.float32)


def crop_air(volume: FloatArray, affine: NDArray[np.float64]) -> tuple[FloatArray, NDArray[np.float64]]:
    """Cut borders without texture, leaving `AIR_BORDER` voxels of them, and move the affine along."""
    texture = local_variance(torch.from_numpy(volume)[None])[0].numpy() > AIR_VARIANCE
    window = []
    for axis in range(3):
        used = np.flatnonzero(texture.any(axis=tuple(a for a in range(3) if a != axis)))
        stop = min(int(used[-1]) + AIR_BORDER + 1, volume.shape[axis])
        window.append(slice(max(int(used[0]) - AIR_BORDER, 0), stop))
    moved = affine.copy()
    first = [window[2].start, window[1].start, window[0].start, 1]
    moved[:3, 3] = (affine @ first)[:3]
    return np.ascontiguousarray(volume[tuple(window)]), moved


def read_volume(path: Path) -> tuple[FloatArray, NDArray[np.float64]]:
    """Normalised intensities (z, y, x) at 2 mm without empty borders, and their affine."""
    image = resample(sitk.ReadImage(str(path)))
    return crop_air(normalise(sitk.GetArrayFromImage(image)), affine_of(image))


def split_of(file: str, subject: str, held_out: set[str]) -> str:
    """The split an image belongs to, by its folder and subject."""
    if Path(file).parent.name != "train":
        return "evaluation"
    return "validation" if subject in held_out else "train"


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what the catalog's file names are relative to")
    parser.add_argument("catalog", type=Path, help="CSV: file,modality,subject,aligned_group,...")
    parser.add_argument("-o", "--output", type=Path, required=True, help="cache to write, .npz")
    parser.add_argument("--split", choices=["train", "evaluation"], default="train")
    parser.add_argument("--held-out", nargs="*", default=[], help="subjects for validation")
    arguments = parser.parse_args()

    volumes = []
    with arguments.catalog.open(newline="") as rows:
        for row in csv.DictReader(rows):
            split = split_of(row["file"], row["subject"], set(arguments.held_out))
            if (split == "evaluation") != (arguments.split == "evaluation"):
                continue
            if row["modality"].startswith("label"):
                continue
            name = Path(row["file"]).name.removesuffix(".nii.gz")
            info = VolumeInfo(name, row["modality"], row["subject"], row["aligned_group"], split)
            volumes.append((info, *read_volume(arguments.folder / row["file"])))
    save_cache(arguments.output, volumes)
    voxels = sum(v.size for _, v, _ in volumes)
    print(f"{len(volumes)} volumes, {voxels / 1e6:.1f} million voxels -> {arguments.output}")


if __name__ == "__main__":
    main()
