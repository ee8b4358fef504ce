# SPDX-License-Identifier: Apache-2.0
"""RESECT (Xiao et al., Medical Physics 2017): brain MR before and ultrasound during surgery, with landmarks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from published import FEWEST, Points

from disa.errors import ImageError

MODALITIES = ("FLAIR", "T1")


@dataclass(frozen=True)
class Found:
    """A patient.

    Attributes:
        name: CaseN.
        ultrasound: file, before resection.
        mr: files by modality.
        ultrasound_points, mr_points: landmarks in the same order, mm (LPS).
    """

    name: str
    ultrasound: Path
    mr: dict[str, Path]
    ultrasound_points: Points
    mr_points: Points


def find(folder: Path) -> list[Found]:
    """Patients of the published folder that have landmarks for the ultrasound before resection.

    Files are NIFTI/CaseN/US/CaseN-US-before.nii.gz, NIFTI/CaseN/MRI/CaseN-FLAIR.nii.gz and -T1.nii.gz, and
    NIFTI/CaseN/Landmarks/CaseN-MRI-beforeUS.tag.

    Args:
        folder: RESECT, or its NIFTI.

    Raises:
        ImageError: no patient has all files, or a file of landmarks cannot be used.
    """
    root = folder / "NIFTI" if (folder / "NIFTI").is_dir() else folder
    found = []
    for case in sorted(root.glob("Case*"), key=lambda path: int(re.sub(r"\D", "", path.name) or 0)):
        ultrasound = case / "US" / f"{case.name}-US-before.nii.gz"
        tags = case / "Landmarks" / f"{case.name}-MRI-beforeUS.tag"
        mr = {modality: case / "MRI" / f"{case.name}-{modality}.nii.gz" for modality in MODALITIES}
        there = {modality: file for modality, file in mr.items() if file.is_file()}
        if ultrasound.is_file() and tags.is_file() and there:
            mr_points, ultrasound_points = read_tags(tags)
            found.append(Found(case.name, ultrasound, there, ultrasound_points, mr_points))
    if not found:
        wanted = "US/CaseN-US-before.nii.gz, MRI/CaseN-FLAIR.nii.gz or -T1.nii.gz, and Landmarks/CaseN-MRI-beforeUS.tag"
        raise ImageError(f"{root}: no folder CaseN with {wanted}; expected RESECT's published folder")
    return found


def read_tags(path: Path) -> tuple[Points, Points]:
    """Points of the first and the second volume of an MNI tag point file, mm (LPS; the file has RAS).

    Raises:
        ImageError: it is no such file, or has one volume only.
    """
    expected = "expected an MNI tag point file of 2 volumes"
    try:
        text = re.sub(r"[#%].*", "", path.read_text())
    except (OSError, UnicodeDecodeError):
        raise ImageError(f"{path}: cannot be read; {expected}") from None
    match = re.match(r"\s*MNI Tag Point File\s+Volumes\s*=\s*2\s*;\s*Points\s*=([^;]*)", text)
    if match is None:
        raise ImageError(f"{path}: {expected}")
    first, second = [], []
    for line in match[1].strip().splitlines():
        try:
            x, y, z, u, v, w = (float(word) for word in line.split()[:6])
        except ValueError:
            raise ImageError(f"{path}: not six numbers: {line.strip()[:60]!r}; {expected}") from None
        first.append((-x, -y, z))
        second.append((-u, -v, w))
    if len(first) < FEWEST:
        raise ImageError(f"{path}: {len(first)} points; expected {FEWEST} or more")
    return tuple(first), tuple(second)
