"""Learn2Reg's AbdomenMRCT in its published layout: MR and CT of one patient each, with organ labels and masks.

FOLDER/AbdomenMRCT_dataset.json
FOLDER/imagesTr/AbdomenMRCT_0001_0000.nii.gz   likewise labelsTr, masksTr; 0000 and 0001 are the modalities
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

TABLE = "AbdomenMRCT_dataset.json"


@dataclass(frozen=True)
class Scan:
    """One volume of a pair; all three files share a grid."""

    modality: str
    image: Path
    label: Path
    mask: Path


@dataclass(frozen=True)
class AbdomenPair:
    """Two volumes of one patient, whose world spaces are about aligned."""

    name: str
    scans: tuple[Scan, Scan]


def training_pairs(folder: Path) -> list[AbdomenPair]:
    """The labelled pairs (8 as published), in the order of their names.

    Args:
        folder: as unpacked, with `AbdomenMRCT_dataset.json`.

    Raises:
        ValueError: the table or a file of it is missing, or no volume has both modalities; one line says which.
    """
    path = folder / TABLE
    if not path.is_file():
        raise ValueError(f"{folder}: expected Learn2Reg's AbdomenMRCT, unpacked, with {TABLE}")
    modalities = json.loads(path.read_text())["modality"]
    pairs = []
    for first in sorted((folder / "imagesTr").glob("AbdomenMRCT_*_0000.nii.gz")):
        name = first.name.removesuffix("_0000.nii.gz")
        if (folder / "imagesTr" / f"{name}_0001.nii.gz").is_file():
            pairs.append(AbdomenPair(name, (_scan(folder, name, 0, modalities), _scan(folder, name, 1, modalities))))
    if not pairs:
        raise ValueError(f"{folder}: expected imagesTr with files AbdomenMRCT_*_0000 and _0001 of one patient")
    return pairs


def _scan(folder: Path, name: str, index: int, modalities: dict[str, str]) -> Scan:
    file = f"{name}_{index:04d}.nii.gz"
    paths = [folder / part / file for part in ("imagesTr", "labelsTr", "masksTr")]
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{path}: no such file; expected a label and a mask beside each image of a pair")
    return Scan(modalities[str(index)], *paths)
