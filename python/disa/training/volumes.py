"""The training cache: 2 mm volumes as 8-bit codes with a table of intensities each, in one .npz."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]

SPACING_MM = 2.0
#: Codes in use. Fewer than 256 compress better; the table stays 256 long.
LEVELS = 192
TABLE_SIZE = 256


@dataclass(frozen=True)
class VolumeInfo:
    """What the catalog says of a volume.

    Attributes:
        name: file name without ending.
        modality: "CT", "MR T1" ...
        subject: identifier of the person.
        group: volumes of one non-empty group share world space.
        split: "train", "validation" or "evaluation".
    """

    name: str
    modality: str
    subject: str
    group: str
    split: str


@dataclass(frozen=True)
class Volume:
    """A normalised volume on a device.

    Attributes:
        info: its catalog entry.
        data: shape (z, y, x), float32, zero mean and unit standard deviation before cropping.
        affine: (4, 4) float64 array, from voxel index (x, y, z) to world (LPS) in mm.
    """

    info: VolumeInfo
    data: Tensor
    affine: NDArray[np.float64]


def quantise(volume: FloatArray) -> tuple[ByteArray, FloatArray]:
    """8-bit codes and their intensities, with levels dense where values are frequent.

    Level density goes with the cube root of the value density, the best for squared error at many
    levels (Panter and Dite, Proc. IRE 1951), so a CT's soft tissue keeps its contrast.

    Args:
        volume: any shape, any unit.

    Returns:
        Codes of `volume`'s shape and the (256,) table of intensities, ascending.
    """
    values, inverse, counts = np.unique(volume, return_inverse=True, return_counts=True)
    if len(values) <= LEVELS:
        table = np.pad(values, (0, TABLE_SIZE - len(values)), mode="edge")
        return inverse.reshape(volume.shape).astype(np.uint8), table.astype(np.float32)
    gaps = np.gradient(values.astype(np.float64))
    density = np.cumsum(np.cbrt(counts / gaps) * gaps)
    level = np.minimum(LEVELS * density / density[-1], LEVELS - 1).astype(np.int64)
    weight = np.bincount(level, counts, LEVELS)
    total = np.bincount(level, counts * values, LEVELS)
    used = np.flatnonzero(weight)
    # Codes past the last level repeat its intensity.
    intensities = np.interp(np.arange(TABLE_SIZE), used, total[used] / weight[used])
    return level[inverse].reshape(volume.shape).astype(np.uint8), intensities.astype(np.float32)


def save_cache(path: Path, volumes: list[tuple[VolumeInfo, FloatArray, NDArray[np.float64]]]) -> None:
    """Write volumes (info, intensities (z, y, x), affine) as one compressed .npz."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for index, (_, intensities, affine) in enumerate(volumes):
        codes, table = quantise(intensities)
        arrays |= {f"codes_{index}": codes, f"table_{index}": table, f"affine_{index}": affine}
    infos = json.dumps([vars(info) for info, _, _ in volumes])
    arrays["infos"] = np.array(infos)
    # np.load reads any compression that zipfile knows; LZMA saves a fifth over np.savez_compressed.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def load_cache(path: Path, device: torch.device) -> list[Volume]:
    """Read a cache written by `save_cache` and decode it on `device`, into one tensor of which volumes are views."""
    entries, shapes, affines, parts = [], [], [], []
    with np.load(path) as cache:
        for index, entry in enumerate(json.loads(str(cache["infos"]))):
            codes = torch.from_numpy(cache[f"codes_{index}"]).to(device)
            table = torch.from_numpy(cache[f"table_{index}"]).to(device)
            entries.append(VolumeInfo(**entry))
            shapes.append(codes.shape)
            affines.append(cache[f"affine_{index}"])
            parts.append(table[codes.flatten().int()])
    views = torch.cat(parts).split([len(part) for part in parts])
    return [
        Volume(info, view.view(shape), affine)
        for info, view, shape, affine in zip(entries, views, shapes, affines, strict=True)
    ]
