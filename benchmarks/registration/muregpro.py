# SPDX-License-Identifier: Apache-2.0
"""mu-RegPro (MICCAI 2023): transrectal ultrasound and T2 of the prostate, with labels of the same structures in both.

The layout is that of muregpro/Baseline-Networks on GitHub (data_generator.py and train_localnet.py: folders, and labels
with the structure as fourth axis) and of the challenge's pages in muregpro/muregpro.github.io (data.md and
assessment.md: which structures, which part has labels, errors at landmarks).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from published import FEWEST, Points, check_files, header_of

from disa.errors import ImageError

FOLDERS = ("us_images", "mr_images", "us_labels", "mr_labels")
PARTS = ("train", "val")
INSIDE = 0.5
"""Labels above this are in a structure."""


@dataclass(frozen=True)
class Found:
    """A patient.

    Attributes:
        name: caseNNNNNN, after the part where the folder has parts.
        ultrasound, mr: files.
        ultrasound_points, mr_points: centroids of the structures that both have labels of, in the same order, mm (LPS);
            the first is the prostate's.
    """

    name: str
    ultrasound: Path
    mr: Path
    ultrasound_points: Points
    mr_points: Points


def find(folder: Path) -> list[Found]:
    """Patients with labels of 3 or more structures in both images.

    Files are us_images/caseNNNNNN.nii.gz, and the same name in mr_images, us_labels and mr_labels, in the folder or in
    its train and val.

    Args:
        folder: with these parts, or one of them.

    Raises:
        ImageError: a folder or a file is missing, labels cannot be used, or no patient has as many.
    """
    parts = [part for part in (folder, *(folder / name for name in PARTS)) if (part / FOLDERS[0]).is_dir()]
    if not parts:
        wanted = f"{', '.join(FOLDERS)} in it or in its {' and '.join(PARTS)}"
        raise ImageError(f"{folder}: no {FOLDERS[0]}; expected the published folder, with {wanted}")
    found = [
        _found(f"{part.name}-{case}" if part != folder else case, *files)
        for part in parts
        for case, files in _patients(part)
    ]
    usable = [patient for patient in found if len(patient.mr_points) >= FEWEST]
    if not usable:
        raise ImageError(f"{folder}: no case with labels of {FEWEST} or more structures in both images")
    return usable


def _patients(part: Path) -> list[tuple[str, list[Path]]]:
    """Each case with its files as FOLDERS has them, none of them missing."""
    names = sorted({file.name for folder in FOLDERS for file in (part / folder).glob("case*.nii.gz")})
    patients = [(name.removesuffix(".nii.gz"), [part / folder / name for folder in FOLDERS]) for name in names]
    check_files((file for _, files in patients for file in files), f"{part} has the case in another folder")
    return patients


def _found(name: str, ultrasound: Path, mr: Path, ultrasound_labels: Path, mr_labels: Path) -> Found:
    one, other = _centroids(ultrasound_labels, ultrasound), _centroids(mr_labels, mr)
    if len(one) != len(other):
        raise ImageError(
            f"{ultrasound_labels}: {len(one)} structures; expected as many as in {mr_labels}, {len(other)}"
        )
    pairs = [(p, q) for p, q in zip(one, other, strict=True) if p is not None and q is not None]
    return Found(name, ultrasound, mr, tuple(p for p, _ in pairs), tuple(q for _, q in pairs))


def _centroids(labels: Path, image: Path) -> list[tuple[float, ...] | None]:
    """Of each structure, mm (LPS); None: it has no label in this image."""
    header = header_of(labels)
    size = header_of(image).GetSize()[:3]
    if header.GetDimension() != 4 or header.GetSize()[:3] != size:
        shown = " x ".join(map(str, header.GetSize()))
        raise ImageError(f"{labels}: {shown}; expected {' x '.join(map(str, size))} and the structures as fourth axis")
    every = sitk.ReadImage(str(labels), sitk.sitkFloat32)
    place = every[:, :, :, 0]
    found: list[tuple[float, ...] | None] = []
    for structure in sitk.GetArrayFromImage(every) > INSIDE:
        zyx = np.argwhere(structure)
        index = zyx.mean(axis=0)[::-1].tolist() if zyx.size else None
        found.append(None if index is None else place.TransformContinuousIndexToPhysicalPoint(index))
    return found
