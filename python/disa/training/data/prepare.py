# SPDX-License-Identifier: Apache-2.0
"""Images into one training cache; `disa train` does it by itself.

Alone: python -m disa.training.data.prepare --help.
"""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from numpy.typing import NDArray

from disa.errors import DISAError, ImageError, RegistrationError
from disa.geometry.linear import matrix_and_offset
from disa.geometry.pixels import pixels_of
from disa.io.images import load_image
from disa.io.transform_files import read_transform
from disa.training.config import TrainingConfig
from disa.training.data.catalog import Source, find_sources
from disa.training.data.volumes import LEVELS, SPACING_MM, FloatArray, VolumeInfo, cache_fingerprint, save_cache
from disa.training.targets.boxes import local_variance

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
        float(pixels_of(image).min()),
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
    if not texture.any():
        return volume, affine
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
    """Normalised intensities (z, y, x) at 2 mm without empty borders, and their affine.

    Args:
        path: image file or folder with one DICOM series.

    Raises:
        ImageError: it cannot be used.
    """
    image = resample(load_image(path))
    return crop_air(normalise(sitk.GetArrayFromImage(image)), affine_of(image))


def _matrix_of(path: Path) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = matrix_and_offset(read_transform(path), str(path))
    return matrix


def fingerprint(sources: list[Source]) -> str:
    """Of the files (paths, sizes, times of change) and of what is done to them."""
    steps = (SPACING_MM, LEVELS, AIR_VARIANCE, AIR_BORDER)
    files = []
    for source in sources:
        parts = sorted(source.path.iterdir()) if source.path.is_dir() else [source.path]
        if source.transform is not None:
            parts.append(source.transform)
        for part in parts:
            status = part.stat()
            files.append((str(part.resolve()), status.st_size, status.st_mtime_ns))
    return hashlib.sha256(json.dumps([steps, files]).encode()).hexdigest()


def prepare(sources: list[Source], cache: Path, say: Callable[[int, int, str], None]) -> bool:
    """Write the cache of volumes, unless it is there and of these very files.

    Args:
        sources: the volumes.
        cache: file to write.
        say: told before each volume how many are done, how many there are and this one's name.

    Returns:
        Whether it was written.

    Raises:
        ImageError: volumes cannot be used; one line each.
        ConfigError: `cache` is a file of another kind.
        TrainingError: the cache cannot be written.
    """
    current = fingerprint(sources)
    if cache_fingerprint(cache) == current:
        return False
    save_cache(cache, _volumes(sources, say), current)
    return True


def _volumes(
    sources: list[Source], say: Callable[[int, int, str], None]
) -> Iterator[tuple[VolumeInfo, FloatArray, NDArray[np.float64]]]:
    """The volumes that can be read; at the end an error with those that cannot."""
    failures: list[str] = []
    for done, source in enumerate(sources):
        say(done, len(sources), source.info.name)
        try:
            intensities, affine = read_volume(source.path)
            if source.transform is not None:
                affine = np.linalg.inv(_matrix_of(source.transform)) @ affine
        except (ImageError, RegistrationError) as error:
            failures.append(str(error))
            continue
        if not failures:
            yield source.info, intensities, affine
    if failures:
        raise ImageError("\n".join(f"{failure}; or leave it out" for failure in failures))


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", help="folder with the volumes")
    parser.add_argument("--groups", default="", help="table of the volumes to use; see disa.training.data.catalog")
    parser.add_argument("--held-out", type=float, default=0.1, help="share of subjects, where the table names none")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of subjects")
    parser.add_argument("-o", "--output", type=Path, required=True, help="cache to write, .npz")
    arguments = parser.parse_args()

    def say(done: int, count: int, name: str) -> None:
        print(f"{done + 1}/{count} {name}", flush=True)

    try:
        config = TrainingConfig(
            images=arguments.images, groups=arguments.groups, held_out=arguments.held_out, seed=arguments.seed
        )
        prepare(find_sources(config), arguments.output, say)
    except DISAError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
