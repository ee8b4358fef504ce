# SPDX-License-Identifier: Apache-2.0
"""Learn2Reg's AbdomenMRCT (Hering et al., IEEE TMI 2023): abdominal MR and CT of one patient a pair, prealigned.

And what the tasks of Learn2Reg share: TASK_dataset.json, and images imagesTr/TASK_NNNN_MMMM.nii.gz, where MMMM is the
modality, with files of other kinds under the same names in folders beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from published import check_files

from disa.errors import ImageError

TASK = "AbdomenMRCT"
KEY = "training_paired_images"


@dataclass(frozen=True)
class Found:
    """A pair of the training part, whose images are of one patient; masks where they are there."""

    name: str
    fixed: Path
    moving: Path
    fixed_mask: Path | None
    moving_mask: Path | None


def find(folder: Path) -> list[Found]:
    """Pairs `training_paired_images` of AbdomenMRCT_dataset.json: imagesTr/AbdomenMRCT_NNNN_0000.nii.gz, MR, and _0001.

    Masks have the same names in masksTr.

    Raises:
        ImageError: the table or an image is missing.
    """
    table = table_of(folder, TASK)
    content = read_table(table, f"the published folder with {KEY} in that table")
    try:
        pairs = [(folder / p["fixed"], folder / p["moving"]) for p in content[KEY]]
    except (KeyError, TypeError):
        raise ImageError(f"{table}: expected the published folder with {KEY} in that table") from None
    check_files((path for pair in pairs for path in pair), f"{table.name} lists it")
    return [Found(subject_of(fixed), fixed, moving, _mask(fixed), _mask(moving)) for fixed, moving in pairs]


def table_of(folder: Path, task: str) -> Path:
    """The file that lists the images of a task."""
    return folder / f"{task}_dataset.json"


def read_table(table: Path, expected: str) -> Any:
    """Content of the file.

    Raises:
        ImageError: it is missing or no JSON; the message says what was expected.
    """
    try:
        return json.loads(table.read_text())
    except OSError as error:
        raise ImageError(f"{table}: {error.strerror}; expected {expected}") from None
    except ValueError:
        raise ImageError(f"{table}: no JSON; expected {expected}") from None


def subject_of(image: Path) -> str:
    """TASK_NNNN of an image of any modality."""
    return image.name.removesuffix(".nii.gz").rpartition("_")[0]


def landmarks_of(image: Path) -> Path:
    """Where the landmarks of an image are, if it has any."""
    return image.parent.parent / "landmarksTr" / f"{image.name.removesuffix('.nii.gz')}.csv"


def _mask(image: Path) -> Path | None:
    mask = image.parent.parent / "masksTr" / image.name
    return mask if mask.is_file() else None
