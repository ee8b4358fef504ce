# SPDX-License-Identifier: Apache-2.0
"""The training cache: 2 mm volumes as 8-bit codes with a table of intensities each, in one .npz."""

from __future__ import annotations

import json
import lzma
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disa.errors import ConfigError
from disa.training.files import replacing

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]

SPACING_MM = 2.0
#: Codes in use. Fewer than 256 compress better; the table stays 256 long.
LEVELS = 192
TABLE_SIZE = 256
SPLITS = ("train", "validation", "evaluation")


@dataclass(frozen=True)
class VolumeInfo:
    """What the catalog says of a volume.

    Attributes:
        name: file name without ending, unique in its cache.
        modality: "CT", "MR T1" ..., "" if not known.
        subject: identifier of the person.
        group: volumes of one non-empty group share world space.
        split: "train", "validation", or "evaluation" for what training does not touch.
        tolerance: mm by which its anatomy may lie off where its group's world space says.
    """

    name: str
    modality: str
    subject: str
    group: str
    split: str
    tolerance: float = 0.0


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


def save_cache(
    path: Path, volumes: Iterable[tuple[VolumeInfo, FloatArray, NDArray[np.float64]]], fingerprint: str = ""
) -> None:
    """Write volumes (info, intensities (z, y, x), affine) as one compressed .npz, one at a time.

    Args:
        path: file to write; it appears when the last volume is in it.
        volumes: what to write.
        fingerprint: of what they were made from.

    Raises:
        TrainingError: the file cannot be written.
    """
    infos = []
    # np.load reads any compression that zipfile knows; LZMA saves a fifth over np.savez_compressed.
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_LZMA) as archive:

        def add(name: str, array: NDArray[np.generic]) -> None:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)

        for index, (info, intensities, affine) in enumerate(volumes):
            codes, table = quantise(intensities)
            add(f"codes_{index}", codes)
            add(f"table_{index}", table)
            add(f"affine_{index}", affine)
            infos.append(vars(info))
        add("infos", np.array(json.dumps(infos)))
        add("fingerprint", np.array(fingerprint))


def cache_fingerprint(path: Path) -> str | None:
    """What `save_cache` was told, "" of an older file, None if there is no file.

    Raises:
        ConfigError: the file is no cache.
    """
    if not path.exists():
        return None
    with _opened(path) as cache:
        return str(cache["fingerprint"]) if "fingerprint" in cache else ""


def load_cache(
    path: Path,
    device: torch.device,
    infos: Sequence[VolumeInfo] | None = None,
    splits: Collection[str] = SPLITS,
) -> list[Volume]:
    """Read a cache written by `save_cache` and decode it on `device`, into one tensor of which volumes are views.

    Args:
        path: the file.
        device: where to hold the volumes.
        infos: of all volumes in order, in place of those in the file.
        splits: what to read.

    Raises:
        ConfigError: the file is missing, is no cache, or holds no volume of these splits.
    """
    entries, shapes, affines, parts = [], [], [], []
    with _opened(path) as cache:
        for index, info in enumerate(infos or [VolumeInfo(**entry) for entry in json.loads(str(cache["infos"]))]):
            if info.split not in splits:
                continue
            codes = torch.from_numpy(cache[f"codes_{index}"]).to(device)
            table = torch.from_numpy(cache[f"table_{index}"]).to(device)
            entries.append(info)
            shapes.append(codes.shape)
            affines.append(cache[f"affine_{index}"])
            parts.append(table[codes.flatten().int()])
    if not parts:
        raise ConfigError(f"{path}: holds no volumes for {' or '.join(splits)}")
    views = torch.cat(parts).split([len(part) for part in parts])
    return [
        Volume(info, view.view(shape), affine)
        for info, view, shape, affine in zip(entries, views, shapes, affines, strict=True)
    ]


def of_split(volumes: Iterable[Volume], split: str, subjects: str = "") -> list[Volume]:
    """The volumes of one split, of the subjects whose identifiers begin with `subjects`."""
    return [v for v in volumes if v.info.split == split and v.info.subject.startswith(subjects)]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as cache:
            if "infos" not in cache:
                raise KeyError
            yield cache
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; give images to make it from") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, lzma.LZMAError):
        raise ConfigError(f"{path}: not a cache of volumes, or a damaged one; remove it or name another") from None
