# SPDX-License-Identifier: Apache-2.0
"""Learn2Reg's AbdomenMRCT (Hering et al., IEEE TMI 2023): abdominal MR and CT of one patient a pair, prealigned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from disa.errors import ImageError

TABLE = "AbdomenMRCT_dataset.json"
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
    table = folder / TABLE
    expected = "expected the published folder with training_paired_images in that table"
    try:
        pairs = [(folder / p["fixed"], folder / p["moving"]) for p in json.loads(table.read_text())[KEY]]
    except OSError as error:
        raise ImageError(f"{table}: {error.strerror}; {expected}") from None
    except (KeyError, TypeError, ValueError):
        raise ImageError(f"{table}: {expected}") from None
    missing = [path for pair in pairs for path in pair if not path.is_file()]
    if missing:
        raise ImageError(f"{missing[0]}: no such file, though {TABLE} lists it")
    return [
        Found(fixed.name.removesuffix(".nii.gz").removesuffix("_0000"), fixed, moving, _mask(fixed), _mask(moving))
        for fixed, moving in pairs
    ]


def _mask(image: Path) -> Path | None:
    mask = image.parent.parent / "masksTr" / image.name
    return mask if mask.is_file() else None
