# SPDX-License-Identifier: Apache-2.0
"""Runs that end right or wrong, and the model of `disa.pose.confidence` fitted to them.

    python benchmarks/confidence.py EVAL --output HELD_OUT.csv --runs 60
    python benchmarks/confidence.py TRAIN --output RUNS.csv --runs 150 --held-out HELD_OUT.csv

A folder holds images of one patient under names that differ in their ends: limbs as STS_N_ct and STS_N_t1, heads as
NAME_t1 (or _t1w), _t2 (_t2w) and _flair. The images of one patient share their world space. A run draws a patient,
which image is the fixed one, a start and one of these: images as they are and a start 2 to 60 mm off, or 60 to 150 mm;
a ball as a mask of the fixed image, of the moving one or of both; images cut so that 30 to 70 % of the length is in
common; and unrelated images, the T1 of one limb and the CT of another patient's, or a head and a limb, of which every
result is wrong. Some of the runs search from everywhere. The moving image is turned onto a grid of its own.

A result is right if its mean error over the fixed image (within its mask) is below 10 mm; 15 mm for limbs, where the
patient has moved between CT and T1 and the shared space is good to about 10 mm.

Fitted is a logistic regression by Newton's method with a small ridge, over standardised evidence. Runs for the test are
of patients of another folder.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from geometry import centre_of, mean_distance, points_inside, random_pose, sample_points, seeded, turned

import disa
from disa.errors import ImageError, RegistrationError
from disa.pose.confidence import COEFFICIENTS, Evidence, confidence, measures

LIMIT = {"limb": 15.0, "head": 10.0}
HEAD_ENDS = ("t1", "t1w", "t2", "t2w", "flair")
KINDS = ("near", "far", "masked", "cut", "unrelated")
SHARES = (0.28, 0.14, 0.2, 0.2, 0.18)
HEADS = 0.25
GLOBAL = 0.15
TURN = 8.0
"""Degrees about each axis between the images' grids, at most."""
LARGEST = {"limb": 5.0, "head": 10.0}
"""Litres; larger images are left out, for time."""
RIDGE = 1e-2


@dataclass(frozen=True)
class Drawn:
    """Two images and what is known of them; `part` is empty where they are unrelated."""

    kind: str
    part: str
    fixed: Path
    moving: Path


def patients(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """By part of the body and by patient the images."""
    found: dict[str, dict[str, list[Path]]] = {"limb": {}, "head": {}}
    for path in sorted(folder.glob("*.nii.gz")):
        name, _, end = path.name.removesuffix(".nii.gz").rpartition("_")
        if name.startswith("STS_") and end in ("ct", "t1"):
            found["limb"].setdefault(name, []).append(path)
        elif end in HEAD_ENDS:
            found["head"].setdefault(name, []).append(path)
    return {
        part: {
            name: images
            for name, images in of.items()
            if len(images) > 1 and np.mean([litres(path) for path in images]) < LARGEST[part]
        }
        for part, of in found.items()
    }


def litres(path: Path) -> float:
    """Volume of an image."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return float(np.prod(np.multiply(reader.GetSize(), reader.GetSpacing()))) / 1e6


def drawn(of: dict[str, dict[str, list[Path]]], rng: np.random.Generator) -> Drawn:
    """The images of one run."""
    kind = str(rng.choice(KINDS, p=SHARES))
    part = "head" if rng.random() < HEADS else "limb"
    names = rng.permutation(list(of[part]))
    if kind != "unrelated":
        fixed, moving = rng.permutation(np.asarray(of[part][names[0]], dtype=object))[:2]
        return Drawn(kind, part, fixed, moving)
    if part == "limb":  # CT first
        pair = [of["limb"][names[0]][0], of["limb"][names[1]][1]]
    else:
        pair = [rng.choice(np.asarray(of["head"][names[0]], dtype=object)), of["limb"][rng.choice(list(of["limb"]))][0]]
    fixed, moving = rng.permutation(np.asarray(pair, dtype=object))
    return Drawn(kind, "", fixed, moving)


def ball(image: sitk.Image, rng: np.random.Generator) -> sitk.Image:
    """A mask: a ball about a place in the middle of the image, whose radius is 0.2 to 0.4 of the image's extent."""
    size = np.asarray(image.GetSize())
    spacing = np.asarray(image.GetSpacing())
    centre = size * rng.uniform(0.35, 0.65, 3)
    extent = size * spacing
    radius = rng.uniform(0.2, 0.4) * np.sort(extent)[1:].mean()
    z, y, x = np.ogrid[: size[2], : size[1], : size[0]]
    squares = sum(((axis - c) * s) ** 2 for axis, c, s in zip((x, y, z), centre, spacing, strict=True))
    mask = sitk.GetImageFromArray((squares <= radius**2).astype(np.uint8))
    mask.CopyInformation(image)
    return mask


def cut(fixed: sitk.Image, moving: sitk.Image, rng: np.random.Generator) -> tuple[sitk.Image, sitk.Image]:
    """The lower part of one image and the upper part of the other, 30 to 70 % of the length in common."""
    common = rng.uniform(0.3, 0.7)
    length = 1 / (2 - common)  # of each part
    parts = []
    for image, is_upper in zip((fixed, moving), rng.permutation([False, True]), strict=True):
        count = image.GetSize()[2]
        kept = max(8, round(length * count))
        parts.append(image[:, :, count - kept :] if is_upper else image[:, :, :kept])
    return parts[0], parts[1]


def run(of: dict[str, dict[str, list[Path]]], folder: str, number: int) -> dict[str, Any] | None:
    """One run; None where nothing overlaps."""
    rng = seeded(folder, number)
    pair = drawn(of, rng)
    fixed, moving = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in (pair.fixed, pair.moving))
    if pair.kind == "cut":
        fixed, moving = cut(fixed, moving, rng)
    moving = turned(moving, rng, TURN)
    masks: dict[str, sitk.Image] = {}
    if pair.kind == "masked":
        which = rng.choice(3)
        masks |= {"fixed_mask": ball(fixed, rng)} if which != 1 else {}
        masks |= {"moving_mask": ball(moving, rng)} if which != 0 else {}
    points = sample_points(fixed)
    if "fixed_mask" in masks:
        points = points_inside(masks["fixed_mask"], points)
    start: sitk.Transform = random_pose(fixed, rng, (60.0, 150.0) if pair.kind == "far" else (2.0, 60.0), points=points)
    initial = mean_distance(start, points, points)
    if not pair.part:
        shift = sitk.TranslationTransform(3, (centre_of(moving) - centre_of(fixed)).tolist())
        start = sitk.CompositeTransform([shift, start])
    is_global = bool(rng.random() < GLOBAL)
    register = disa.global_register if is_global else disa.register
    began = time.perf_counter()
    try:
        result = register(fixed, moving, initial_transform=sitk_linear(start), threads=1, **masks)
    except (ImageError, RegistrationError) as error:
        print(f"{pair}: {error}", file=sys.stderr)
        return None
    seconds = time.perf_counter() - began
    error = mean_distance(result.transform, points, points) if pair.part else np.inf
    evidence = result.evidence
    assert evidence is not None
    return {
        "number": number,
        "kind": pair.kind,
        "part": pair.part,
        "fixed": pair.fixed.name.removesuffix(".nii.gz"),
        "moving": pair.moving.name.removesuffix(".nii.gz"),
        "search": "global" if is_global else "local",
        "initial_mm": round(initial, 2),
        "final_mm": round(error, 2),
        "right": int(bool(pair.part) and error < LIMIT[pair.part]),
        "value": evidence.value,
        "of_fixed": evidence.overlaps[0],
        "of_moving": evidence.overlaps[1],
        "contrast": evidence.contrast,
        "rival": evidence.rival,
        "seconds": round(seconds, 2),
        "evidence_ms": round(1e3 * result.times["confidence"]),
    }


def sitk_linear(transform: sitk.Transform) -> sitk.Transform:
    """The same as one affine transform."""
    origin = np.asarray(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.asarray(transform.TransformPoint(axis)) - origin for axis in np.eye(3).tolist()]
    return sitk.AffineTransform(np.stack(columns, axis=1).ravel().tolist(), origin.tolist())


def collect(folder: Path, runs: int, output: Path) -> None:
    """Append runs to a table, after those that it has."""
    of = patients(folder)
    done = read(output) if output.exists() else []
    with output.open("a", newline="") as file:
        for number in range(int(done[-1]["number"]) + 1 if done else 0, runs):
            row = run(of, folder.name, number)
            if row is None:
                continue
            writer = csv.DictWriter(file, row)
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
            file.flush()


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def evidence_in(row: dict[str, str]) -> Evidence:
    """The evidence of a run."""
    of = {name: float(row[name]) for name in ("value", "contrast", "rival")}
    return Evidence(overlaps=(float(row["of_fixed"]), float(row["of_moving"])), **of)


def labels(rows: list[dict[str, str]]) -> np.ndarray:
    return np.asarray([row["right"] == "1" for row in rows], dtype=float)


def fitted(rows: list[dict[str, str]], names: list[str]) -> tuple[float, dict[str, float]]:
    """Bias and coefficients of the logistic model."""
    found = [measures(evidence_in(row)) for row in rows]
    values = np.asarray([[of[name] for name in names] for of in found])
    mean, spread = values.mean(axis=0), values.std(axis=0)
    design = np.column_stack([np.ones(len(rows)), (values - mean) / spread])
    penalty = RIDGE * len(rows) * np.diag([0.0, *[1.0] * len(names)])
    weights = np.zeros(len(names) + 1)
    for _ in range(50):
        probabilities = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (probabilities - labels(rows)) + penalty @ weights
        curvature = design.T @ (design * (probabilities * (1 - probabilities))[:, None]) + penalty
        weights -= np.linalg.solve(curvature, slope)
    scaled = weights[1:] / spread
    return float(weights[0] - scaled @ mean), dict(zip(names, scaled.tolist(), strict=True))


def predicted(rows: list[dict[str, str]], bias: float, coefficients: dict[str, float]) -> np.ndarray:
    """Probabilities by the model."""
    found = [measures(evidence_in(row)) for row in rows]
    logits = [bias + sum(weight * of[name] for name, weight in coefficients.items()) for of in found]
    return 1 / (1 + np.exp(-np.asarray(logits)))


def across(rows: list[dict[str, str]], names: list[str]) -> np.ndarray:
    """Probabilities of each run by a model that was fitted to those of other patients."""
    found = np.zeros(len(rows))
    patients_of = [{row[side].rpartition("_")[0] for side in ("fixed", "moving")} for row in rows]
    for index, (row, own) in enumerate(zip(rows, patients_of, strict=True)):
        others = [other for other, of in zip(rows, patients_of, strict=True) if not of & own]
        found[index] = predicted([row], *fitted(others, names))[0]
    return found


def judged(rows: list[dict[str, str]], probabilities: np.ndarray) -> str:
    """How good probabilities are: shares, Brier score and a table by probability."""
    right = labels(rows) == 1
    sure = probabilities >= 0.5
    brier = np.mean((probabilities - right) ** 2)
    lines = [
        f"{len(rows)} runs, {right.sum()} right; below 0.5 are {(~sure & ~right).sum()} of {(~right).sum()} wrong,",
        f"at 0.5 or more {(sure & right).sum()} of {right.sum()} right; Brier score {brier:.3f}",
        "",
        "| confidence | runs | mean | right |",
        "|" + "---|" * 4,
    ]
    for low, high in pairwise((0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.01)):
        held = (probabilities >= low) & (probabilities < high)
        if held.any():
            mean, share = probabilities[held].mean(), right[held].mean()
            lines.append(f"| {low:.1f} to {min(high, 1):.1f} | {held.sum()} | {mean:.2f} | {share:.2f} |")
    for kind in KINDS:
        held = np.asarray([row["kind"] == kind for row in rows])
        counts = (held & right & sure).sum(), (held & right).sum(), (held & ~right & ~sure).sum(), (held & ~right).sum()
        lines.append(f"{kind}: right {counts[0]}/{counts[1]} sure, wrong {counts[2]}/{counts[3]} unsure")
    return "\n".join(lines)


def report(runs: Path, held_out: Path | None, names: list[str]) -> None:
    """Print the model and how good it is."""
    rows = read(runs)
    bias, coefficients = fitted(rows, names)
    right = [measures(evidence_in(row)) for row in rows if row["right"] == "1"]
    print(f"BIAS = {bias:.3g}")
    print("COEFFICIENTS =", {name: float(f"{weight:.3g}") for name, weight in coefficients.items()})
    print("TYPICAL =", {name: float(f"{np.mean([of[name] for of in right]):.3g}") for name in names})
    print("\nfitted to all:", judged(rows, predicted(rows, bias, coefficients)))
    print("\nfitted to other patients:", judged(rows, across(rows, names)))
    if held_out is not None and held_out.exists():
        others = read(held_out)
        print("\nheld out:", judged(others, predicted(others, bias, coefficients)))
        shipped = np.asarray([confidence(evidence_in(row)) for row in others])
        print("\nheld out, as shipped:", judged(others, shipped))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="make runs of these images; none: fit only")
    parser.add_argument("--output", type=Path, required=True, help="table of runs, which is continued")
    parser.add_argument("--runs", type=int, default=150)
    parser.add_argument("--held-out", type=Path, help="table of runs of other patients, to judge the model by")
    parser.add_argument("--measures", nargs="+", default=list(COEFFICIENTS), help="that the model weighs")
    arguments = parser.parse_args()
    if arguments.folder is not None:
        collect(arguments.folder, arguments.runs, arguments.output)
    report(arguments.output, arguments.held_out, arguments.measures)


if __name__ == "__main__":
    main()
