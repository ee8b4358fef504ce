# SPDX-License-Identifier: Apache-2.0
"""Registration of CT and T1 limbs by several methods, measured at bone, the one tissue that cannot deform.

    python benchmarks/deformation_at_bone.py FOLDER --references REFERENCES --output RUNS.csv [--methods ...]

FOLDER has SUBJECT_t1.nii.gz and SUBJECT_ct.nii.gz, REFERENCES has SUBJECT_bone.tfm, from points of the T1 to those of
the CT. Each pair is registered with the T1 fixed and with the CT fixed. The moving image is first resampled onto a
turned and shifted grid. All methods but those named "from the reference" start from the rigid pose of `disa.register`,
whose time is not in theirs. The offset is the mean of the errors' vectors, x y z (LPS). RUNS.csv gets a row a run; the
same command goes on where it was stopped, and prints two tables of all rows: the methods, and whether an end that is
nearer has the better value.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from at_bone_methods import METHODS, Scene, transform_of
from bone import bone_of, bone_points
from deformable import folds_of
from geometry import mean_distance, seeded, turned
from resumable import Row, read_rows, record

import disa
from disa.geometry.applying import transformed

LANDMARK_ERROR = 2.0
"""mm, standard deviation along each axis."""
ROLES = ("T1 fixed", "CT fixed")
FIELDS = ("case", "role", "method", "error_mm", "offset_mm", "value", "folds_percent", "seconds", "cpu_seconds")


@functools.lru_cache(maxsize=1)
def scene_of(folder: Path, references: Path, case: str, role: str) -> tuple[Scene, np.ndarray, np.ndarray]:
    """What is registered, and points at bone of the fixed and the moving image, shape (n, 3) each, mm."""
    t1, ct = (sitk.ReadImage(str(folder / f"{case}_{kind}.nii.gz"), sitk.sitkFloat32) for kind in ("t1", "ct"))
    reference = sitk.ReadTransform(str(references / f"{case}_bone.tfm"))
    here, there = bone_points(t1, ct, reference)
    bone = sitk.Cast(bone_of(ct), sitk.sitkUInt8)
    rng = seeded(case, 0)
    if role == ROLES[0]:
        fixed, moving, bones = t1, turned(ct, rng), (None, bone)
    else:
        fixed, moving, bones = ct, turned(t1, rng), (bone, None)
        here, there, reference = there, here, reference.GetInverse()
    pose = disa.register(fixed, moving).transform
    landmarks = _spread(here, 4)
    rest = np.setdiff1d(np.arange(len(here)), landmarks)
    marked = there[landmarks] + seeded(case, 1).normal(scale=LANDMARK_ERROR, size=(len(landmarks), 3))
    scene = Scene(fixed, moving, pose, reference, *bones, here[landmarks], marked)
    return scene, here[rest], there[rest]


def _spread(points: np.ndarray, count: int) -> list[int]:
    """Indices of points that lie far from each other."""
    chosen = [int(np.argmin(points[:, 2]))]
    while len(chosen) < count:
        distances = np.linalg.norm(points[:, None] - points[chosen], axis=-1).min(axis=1)
        chosen.append(int(np.argmax(distances)))
    return chosen


def rows_of(arguments: argparse.Namespace, wanted: list[tuple[str, str, str]]) -> Iterator[dict[str, Any]]:
    for case, role, method in wanted:
        scene, here, there = scene_of(arguments.folder, arguments.references, case, role)
        began = time.perf_counter(), time.process_time()
        found = METHODS[method](scene)
        seconds, cpu_seconds = time.perf_counter() - began[0], time.process_time() - began[1]
        transform = transform_of(found)
        yield {
            "case": case,
            "role": role,
            "method": method,
            "error_mm": round(mean_distance(transform, here, there), 3),
            "offset_mm": " ".join(f"{mm:.1f}" for mm in np.mean(transformed(here, transform) - there, axis=0)),
            "value": round(found.value, 5) if isinstance(found, disa.RegistrationResult) else "",
            "folds_percent": round(100 * folds_of(transform, scene.fixed), 4),
            "seconds": round(seconds, 2),
            "cpu_seconds": round(cpu_seconds, 2),
        }


def table_of(rows: list[Row]) -> str:
    """Mean over the patients and the worst of them, for each role; empty where a patient is missing."""
    patients = len({row["case"] for row in rows})
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["method"]][row["role"]].append(row)
    errors = [f"{role}: mean (mm) | worst (mm)" for role in ROLES]
    lines = [
        f"| method | {' | '.join(errors)} | folds (%) | seconds | CPU seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for method, by_role in found.items():
        cells = []
        for role in ROLES:
            found_mm = [float(row["error_mm"]) for row in by_role[role]]
            cells += [f"{np.mean(found_mm):.2f}", f"{max(found_mm):.2f}"] if len(found_mm) == patients else ["", ""]
        every = [row for rows_of_role in by_role.values() for row in rows_of_role]
        means = ("folds_percent", "seconds", "cpu_seconds")
        cells += [f"{np.mean([float(row[name]) for row in every]):.2g}" for name in means]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ends_of(rows: list[Row]) -> str:
    """Where a deformation ends from the pose and from the reference, and which end has the better, the lower, value."""
    by_run = {(row["case"], row["role"], row["method"]): row for row in rows}
    lines = [
        "| patient | role | from the pose (mm) | of it an offset (mm) | value | from the reference (mm) | value |",
        "|---|---|---|---|---|---|---|",
    ]
    for case, role in sorted({(row["case"], row["role"]) for row in rows}):
        ends = [by_run.get((case, role, method)) for method in ("deformable", "deformable from the reference")]
        if ends[0] is None or ends[1] is None:
            continue
        offset = np.linalg.norm([float(mm) for mm in ends[0]["offset_mm"].split()])
        errors = [f"{float(end['error_mm']):.1f}" for end in (ends[0], ends[1])]
        values = [f"{float(end['value']):.4f}" for end in (ends[0], ends[1])]
        lines.append(f"| {case} | {role} | {errors[0]} | {offset:.1f} | {values[0]} | {errors[1]} | {values[1]} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--references", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--cases", nargs="+", help="subjects; all that have a reference, if not given")
    arguments = parser.parse_args()
    known_cases = sorted(path.name.removesuffix("_bone.tfm") for path in arguments.references.glob("*_bone.tfm"))
    cases = arguments.cases or known_cases
    known = read_rows(arguments.output)
    done = {(row["case"], row["role"], row["method"]) for row in known}
    runs = [(case, role, method) for case in cases for role in ROLES for method in arguments.methods]
    wanted = [run for run in runs if run not in done]
    record(
        arguments.output,
        FIELDS,
        known,
        rows_of(arguments, wanted),
        len(wanted),
        lambda row: f"{row['case']} {row['role']} {row['method']}: {row['error_mm']} mm, {row['seconds']} s",
    )
    rows = read_rows(arguments.output)
    print(f"{table_of(rows)}\n\n{ends_of(rows)}")


if __name__ == "__main__":
    main()
