# SPDX-License-Identifier: Apache-2.0
"""ReMIND2Reg (Learn2Reg 2024 and 2025): ultrasound after resection of a brain tumour, ceT1 and T2 before surgery.

The layout is that of ReubenDo/ReMIND2Reg on GitHub: names of the images from docker/src and niftyreg; names and units
of landmarks from evaluation/evaluation.py, utils.py and ReMIND2Reg_VAL_evaluation_config.json. Which keys the table of
images has is not said there, so every image of imagesTr that it names anywhere counts. That repository has no landmarks
itself; it reads them from the validation part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import learn2reg
import numpy as np
from published import Points, check_files, check_matched, header_of

from disa.errors import ImageError
from disa.io.tables import read_table

TASK = "ReMIND2Reg"
ULTRASOUND = "0000"
MODALITIES = {"0001": "ceT1", "0002": "T2"}
AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Found:
    """An ultrasound volume and one MR of the same patient.

    Attributes:
        name: ReMIND2Reg_NNNN-MODALITY.
        modality: of the MR, ceT1 or T2.
        ultrasound, mr: files. They share their world space as neuronavigation has it, without the brain's shift.
        ultrasound_points, mr_points: landmarks in the same order, mm (LPS); empty where there are none.
    """

    name: str
    modality: str
    ultrasound: Path
    mr: Path
    ultrasound_points: Points
    mr_points: Points


def find(folder: Path) -> list[Found]:
    """Every ultrasound with each MR that ReMIND2Reg_dataset.json names.

    Images are imagesTr/ReMIND2Reg_NNNN_0000.nii.gz, ultrasound, _0001, ceT1, and _0002, T2. Landmarks have the same
    names in landmarksTr and end in .csv: a line a point, voxel indices along x, y and z of the image of that name.

    Raises:
        ImageError: the table, an image that it names or one file of a pair of landmarks is missing, or cannot be used.
    """
    table = learn2reg.table_of(folder, TASK)
    expected = f"the published folder with images imagesTr/{TASK}_NNNN_{ULTRASOUND}.nii.gz in that table"
    names = {Path(text).name for text in _texts(learn2reg.read_table(table, expected)) if _is_image(text)}
    images = [folder / "imagesTr" / name for name in sorted(names)]
    check_files(images, f"{table.name} lists it")
    pairs = [
        (image, image.with_name(f"{learn2reg.subject_of(image)}_{code}.nii.gz"), modality)
        for image in images
        if image.name.endswith(f"_{ULTRASOUND}.nii.gz")
        for code, modality in MODALITIES.items()
    ]
    found = [_found(ultrasound, mr, modality) for ultrasound, mr, modality in pairs if mr.name in names]
    if not found:
        raise ImageError(f"{table}: no ultrasound with an MR; expected {expected}, and {' or '.join(MODALITIES)}")
    return found


def _texts(content: Any) -> Iterator[str]:
    """Every text in a JSON's content."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from _texts(part)


def _is_image(text: str) -> bool:
    path = Path(text)
    return path.parent.name == "imagesTr" and path.name.startswith(f"{TASK}_") and path.name.endswith(".nii.gz")


def _found(ultrasound: Path, mr: Path, modality: str) -> Found:
    name = f"{learn2reg.subject_of(ultrasound)}-{modality}"
    tables = [learn2reg.landmarks_of(image) for image in (ultrasound, mr)]
    if not any(table.is_file() for table in tables):
        return Found(name, modality, ultrasound, mr, (), ())
    check_files(tables, "the other image of the pair has landmarks")
    points = [_landmarks(table, image) for table, image in zip(tables, (ultrasound, mr), strict=True)]
    check_matched(points, tables)
    return Found(name, modality, ultrasound, mr, *points)


def _landmarks(path: Path, image: Path) -> Points:
    """Points of a table of voxel indices of an image, mm (LPS)."""
    table = read_table(path, "expected a point a line, voxel indices x, y, z", AXES, ImageError, may_lack_header=True)
    place = header_of(image)
    origin, spacing = np.asarray(place.GetOrigin()), np.asarray(place.GetSpacing())
    axes = np.reshape(place.GetDirection(), (3, 3))
    indices = np.array([[table.number(line, axis) for axis in AXES] for line in table.lines]).reshape(-1, 3)
    return tuple(map(tuple, (origin + (indices * spacing) @ axes.T).tolist()))
