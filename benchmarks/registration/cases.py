# SPDX-License-Identifier: Apache-2.0
"""Pairs of images with a known pose, as each dataset lays out its folder."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import learn2reg
import muregpro
import remind2reg
import resect

from disa.errors import ImageError
from disa.io.points import read_points

SWAPPED = "_swapped"


@dataclass(frozen=True)
class Case:
    """A pair of images, in the roles that its layout gives them or swapped.

    Attributes:
        name: unique in a folder; of both roles.
        group: what tables pool; of both roles.
        fixed, moving: files. Without landmarks they share their world space, so that the identity is the truth.
        fixed_mask, moving_mask: files, not 0 where the image counts.
        sector: whether the fixed image is ultrasound, black outside the sector that it saw; only that counts.
        simulated: whether the fixed image is to be simulated ultrasound of the file.
        fixed_points, moving_points: landmarks in the same order, mm (LPS).
        modality: what tables call the moving image.
        swapped: whether the images change their roles when they are registered. All that is said here of the fixed
            image is said of the same file then, and errors are measured at the same points.
    """

    name: str
    group: str
    fixed: Path
    moving: Path
    fixed_mask: Path | None = None
    moving_mask: Path | None = None
    sector: bool = False
    simulated: bool = False
    fixed_points: tuple[tuple[float, ...], ...] = ()
    moving_points: tuple[tuple[float, ...], ...] = ()
    modality: str = "the other"
    swapped: bool = False

    @property
    def title(self) -> str:
        """The name with the role."""
        return f"{self.name}{SWAPPED}" if self.swapped else self.name

    @property
    def heading(self) -> str:
        """The group with the role."""
        return f"{self.group}, {self.modality} fixed" if self.swapped else self.group


def eval_cases(folder: Path) -> list[Case]:
    """Files SUBJECT_MODALITY.nii.gz: of each subject the T1 as fixed image, each other modality as moving one."""
    groups = {"ct": "CT/T1", "t2": "head T1/T2", "flair": "head T1/FLAIR"}
    return [
        Case(f"{subject}_{modality}", groups[modality], t1, other, modality=modality.upper())
        for subject, t1, modality, other in _with_t1(folder)
    ]


def ultrasound_cases(folder: Path) -> list[Case]:
    """The same files: simulated ultrasound of each other modality as fixed image, the T1 or the CT itself as moving."""
    cases = []
    for subject, t1, modality, other in _with_t1(folder):
        part = "limb" if modality == "ct" else "head"
        moving = {"t1": t1, "ct": other} if modality == "ct" else {"t1": t1}
        for name, file in moving.items():
            group, title = f"simulated US/{name.upper()}, {part}", f"{subject}_us-{modality}_{name}"
            cases.append(Case(title, group, other, file, sector=True, simulated=True, modality=name.upper()))
    return cases


def _with_t1(folder: Path) -> list[tuple[str, Path, str, Path]]:
    found = []
    for t1 in sorted(folder.glob("*_t1.nii.gz")):
        subject = t1.name.removesuffix("_t1.nii.gz")
        for modality in ("ct", "t2", "flair"):
            other = folder / f"{subject}_{modality}.nii.gz"
            if other.is_file():
                found.append((subject, t1, modality, other))
    return found


def table_cases(folder: Path) -> list[Case]:
    """Pairs of a table `pairs.csv`; files relative to the folder.

    Columns: name, group, fixed, moving; where wanted fixed_mask, moving_mask, and fixed_points with moving_points,
    tables of landmarks with columns x, y, z in mm (LPS).

    Raises:
        ImageError: the table or a table of landmarks cannot be used.
    """
    table = folder / "pairs.csv"
    needed = ("name", "group", "fixed", "moving")
    try:
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise ImageError(f"{table}: {error.strerror}; expected a table with columns {', '.join(needed)}") from None
    cases = []
    for number, row in enumerate(rows, 2):
        missing = [column for column in needed if not row.get(column)]
        if missing:
            raise ImageError(f"{table}: line {number} has no {', '.join(missing)}")

        def path(column: str, row: dict[str, str] = row) -> Path | None:
            return folder / row[column] if row.get(column) else None

        points = [path(column) for column in ("fixed_points", "moving_points")]
        landmarks = [() if p is None else tuple(map(tuple, read_points(p).positions.tolist())) for p in points]
        if len(landmarks[0]) != len(landmarks[1]):
            raise ImageError(
                f"{table}: line {number} has {len(landmarks[0])} fixed and {len(landmarks[1])} moving points"
            )
        cases.append(
            Case(
                row["name"],
                row["group"],
                folder / row["fixed"],
                folder / row["moving"],
                fixed_mask=path("fixed_mask"),
                moving_mask=path("moving_mask"),
                fixed_points=landmarks[0],
                moving_points=landmarks[1],
            )
        )
    return cases


def resect_cases(folder: Path) -> list[Case]:
    """RESECT: the ultrasound before resection as fixed image, FLAIR and T1 as moving ones, with landmarks."""
    return [
        Case(
            f"{found.name}-{modality}",
            f"RESECT US/{modality}",
            found.ultrasound,
            moving,
            sector=True,
            fixed_points=found.ultrasound_points,
            moving_points=found.mr_points,
            modality=modality,
        )
        for found in resect.find(folder)
        for modality, moving in found.mr.items()
    ]


def learn2reg_cases(folder: Path) -> list[Case]:
    """Learn2Reg AbdomenMRCT: fixed MR and moving CT of one patient, prealigned; the identity counts as the truth."""
    return [
        Case(pair.name, "AbdomenMRCT", pair.fixed, pair.moving, pair.fixed_mask, pair.moving_mask, modality="CT")
        for pair in learn2reg.find(folder)
    ]


def remind2reg_cases(folder: Path) -> list[Case]:
    """ReMIND2Reg: the ultrasound after resection as fixed image, ceT1 and T2 as moving ones.

    Those without landmarks are a group of their own: the pose of neuronavigation counts as the truth there, and is
    none, as the brain has shifted.
    """
    return [
        Case(
            found.name,
            f"ReMIND2Reg US/{found.modality}{'' if found.ultrasound_points else ', navigated pose'}",
            found.ultrasound,
            found.mr,
            sector=True,
            fixed_points=found.ultrasound_points,
            moving_points=found.mr_points,
            modality=found.modality,
        )
        for found in remind2reg.find(folder)
    ]


def muregpro_cases(folder: Path) -> list[Case]:
    """mu-RegPro: the prostate's ultrasound as fixed image, T2 as moving one, with centroids of labels as landmarks."""
    return [
        Case(
            found.name,
            "mu-RegPro US/T2",
            found.ultrasound,
            found.mr,
            sector=True,
            fixed_points=found.ultrasound_points,
            moving_points=found.mr_points,
            modality="T2",
        )
        for found in muregpro.find(folder)
    ]


LAYOUTS: dict[str, Callable[[Path], list[Case]]] = {
    "eval": eval_cases,
    "ultrasound": ultrasound_cases,
    "table": table_cases,
    "resect": resect_cases,
    "learn2reg": learn2reg_cases,
    "remind2reg": remind2reg_cases,
    "muregpro": muregpro_cases,
}

ROLES = {"as-is": (False,), "swapped": (True,), "both": (False, True)}
"""Which of them `in_roles` gives."""


def in_roles(cases: list[Case], roles: str) -> list[Case]:
    """The cases in the roles of that name of ROLES, both of a case one after the other."""
    return [replace(case, swapped=swapped) for case in cases for swapped in ROLES[roles]]


def unswapped(title: str) -> str:
    """The title of a case in the roles that its layout has."""
    return title.removesuffix(SWAPPED)
