"""Pairs of images with a known pose."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A pair that shares its world space, so that the identity is the truth."""

    name: str
    group: str
    fixed: Path
    moving: Path


def eval_cases(folder: Path) -> list[Case]:
    """Files SUBJECT_MODALITY.nii.gz: of each subject the T1 as fixed image, each other modality as moving one."""
    cases = []
    for fixed in sorted(folder.glob("*_t1.nii.gz")):
        subject = fixed.name.removesuffix("_t1.nii.gz")
        for modality, group in (("ct", "CT/T1"), ("t2", "head T1/T2"), ("flair", "head T1/FLAIR")):
            moving = folder / f"{subject}_{modality}.nii.gz"
            if moving.is_file():
                cases.append(Case(f"{subject}_{modality}", group, fixed, moving))
    return cases


def table_cases(folder: Path) -> list[Case]:
    """Pairs of a table `pairs.csv` with the columns name, group, fixed, moving; files relative to the folder."""
    with (folder / "pairs.csv").open(newline="") as file:
        return [
            Case(row["name"], row["group"], folder / row["fixed"], folder / row["moving"])
            for row in csv.DictReader(file)
        ]


LAYOUTS = {"eval": eval_cases, "table": table_cases}
