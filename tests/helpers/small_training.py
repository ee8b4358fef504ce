# SPDX-License-Identifier: Apache-2.0
"""Small volumes and settings for the tests of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch

from disa.training.config import TrainingConfig
from disa.training.data.volumes import Volume, VolumeInfo

torch.set_num_threads(1)  # threads that wait for each other take longer than these volumes do

SETTINGS = {
    "total_steps": 4,
    "validate_steps": 2,
    "validate_batches": 1,
    "batch_pairs": 2,
    "crop_size": 24,
    "border": 8,
    "positions": 8,
    "seed": 3,
}


def config(**changes: object) -> TrainingConfig:
    return TrainingConfig(**{**SETTINGS, **changes})


def pixels(seed: int, size: tuple[int, int, int] = (26, 28, 30)) -> np.ndarray:
    """Waves along all axes, (z, y, x), zero mean and unit deviation."""
    random = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1)
    waves = [np.sin(grid @ random.uniform(-0.7, 0.7, 3) + random.uniform(0, 6)) for _ in range(6)]
    values = np.sum(waves, axis=0)
    return ((values - values.mean()) / values.std()).astype(np.float32)


def volume(seed: int, split: str = "train", group: str = "") -> Volume:
    info = VolumeInfo(f"volume-{seed}", "MR", f"subject-{seed}", group, split)
    return Volume(info, torch.from_numpy(pixels(seed)), np.diag([2.0, 2.0, 2.0, 1.0]))


def image(seed: int, spacing: float = 2.0) -> sitk.Image:
    """As integers, which every format can hold."""
    made = sitk.GetImageFromArray((100 * pixels(seed)).round().astype(np.int16))
    made.SetSpacing((spacing,) * 3)
    made.SetOrigin((-20.0, 11.0, 5.0))
    return made


def write_series(folder: Path, made: sitk.Image) -> None:
    """A DICOM series, one file a slice."""
    folder.mkdir(parents=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    series = f"1.2.826.0.1.3680043.2.1125.{abs(hash(folder.name)) % 10**8}"
    for index in range(made.GetSize()[2]):
        part = made[:, :, index]
        x, y, z = made.TransformIndexToPhysicalPoint((0, 0, index))
        for tag, value in {
            "0008|0060": "MR",
            "0008|0018": f"{series}.{index + 1}",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.1",
            "0020|000e": series,
            "0020|0032": f"{x}\\{y}\\{z}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(index),
            "0018|0050": str(made.GetSpacing()[2]),
        }.items():
            part.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"slice{index:03}.dcm"))
        writer.Execute(part)


def image_folder(folder: Path, seeds: range) -> Path:
    """A folder of NIfTI volumes, one a subject."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        sitk.WriteImage(image(seed), str(folder / f"scan{seed}.nii.gz"))
    return folder
