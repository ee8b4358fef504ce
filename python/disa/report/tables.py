# SPDX-License-Identifier: Apache-2.0
"""The tables of a report, of what result.json holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from disa.report.findings import SUMMARY
from disa.report.parameters import Row, named
from disa.report.provenance import axes_in_words
from disa.report.verdict import percent

PERCENTILES = {"0": "least", "1": "1st percentile", "50": "median", "99": "99th percentile", "100": "greatest"}

NO_FILES = ("fixed", "moving", "fixed_series", "moving_series")
"""Of the inputs those that the table of images has."""


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes:
        heading: above it.
        rows: of cells; the first cell of a row is its name.
        header: of the columns, where there is one.
        note: a sentence or two below it.
        is_printed: whether it goes onto the printed page.
    """

    heading: str
    rows: Sequence[Row]
    header: Sequence[str] = ()
    note: str = ""
    is_printed: bool = False


def tables(found: dict[str, Any]) -> list[Table]:
    """All that there are, in order.

    Args:
        found: what result.json holds; the hashes of the inputs, too.
    """
    return [
        _result(found),
        *([_deformation(found["deformation"])] if "deformation" in found else []),
        *_errors(found),
        *([_poses(found)] if len(found["optima"]) > 1 else []),
        _images(found),
        _making(found),
        Table("Settings", [[name.replace("_", " "), _shown(value)] for name, value in found["settings"].items()]),
        Table("Seconds", [[name, seconds] for name, seconds in found["seconds"].items()]),
    ]


def _result(found: dict[str, Any]) -> Table:
    rows: list[Row] = []
    if found["confidence"] is not None:
        rows.append(["confidence", percent(found["confidence"])])
    rows += [
        ["value of the metric", found["value"]],
        ["overlap", f"{100 * found['overlap']:.0f} %"],
        *named(found["transform"]),
    ]
    if "pressure_mm" in found:
        rows.append(["pressure of the probe, p1, p2", ", ".join(f"{p:.4g} mm" for p in found["pressure_mm"])])
    rows.append(["evaluations of the metric", found["evaluations"]])
    note = (
        "The value lies between -1 and 1, lower is better. The transform maps points of the fixed image to points of "
        "the moving one, as ITK has it. x leads to the patient's left, y to the back, z to the head (LPS)."
    )
    heading = "Pose, before the deformation" if "deformation" in found else "Result"
    return Table(heading, rows, note=note, is_printed=True)


def _deformation(deformation: dict[str, Any]) -> Table:
    percentiles = deformation["jacobian_percentiles"]
    determinants: list[Row] = [
        [f"Jacobian determinant, {name}", percentiles[percent]] for percent, name in PERCENTILES.items()
    ]
    displacements: list[Row] = [
        [f"displacement, {name}", f"{mm:.2f} mm"] for name, mm in deformation["displacement_mm"].items()
    ]
    rows: list[Row] = [
        *determinants,
        ["folded cells", f"{100 * deformation['folds']:.3g} %"],
        *displacements,
        ["value in the last iteration", deformation["value"]],
        ["overlap", f"{100 * deformation['overlap']:.0f} %"],
    ]
    note = "A determinant of 1 keeps volumes, below 1 shrinks, above 1 grows. At 0 or less the deformation folds."
    return Table("Deformation", rows, note=note, is_printed=True)


def _errors(found: dict[str, Any]) -> list[Table]:
    made = []
    if "errors_mm" in found:
        errors = found["errors_mm"]
        rows: list[Row] = [[name, errors["before"][name], errors["after"][name]] for name in SUMMARY]
        made.append(Table("Distance from the true transform (mm)", rows, ("", "before", "after"), is_printed=True))
    if "landmark_errors_mm" in found:
        errors = found["landmark_errors_mm"]
        rows = [[i, *both] for i, both in enumerate(zip(errors["before"], errors["after"], strict=True), 1)]
        means = ["mean", *(float(np.mean(errors[name])) for name in ("before", "after"))]
        made.append(Table("Landmark errors (mm)", [means, *rows], ("landmark", "before", "after")))
    return made


def _poses(found: dict[str, Any]) -> Table:
    rows: list[Row] = [["result", found["search_value"], "0.0 mm", "0.0°"]]
    rows += [
        [i, pose["value"], f"{pose['distance_mm']:.1f} mm", f"{pose['turn_degrees']:.1f}°"]
        for i, pose in enumerate(found["optima"], 1)
    ]
    note = (
        "All values are over the search's smoothed descriptors, so they compare; lower is better. The result was "
        "refined from a pose near it, over sharper ones. A far pose of nearly its value is a rival."
    )
    return Table("Poses that the search ended at", rows, ("", "value", "mean distance", "turn"), note)


def _images(found: dict[str, Any]) -> Table:
    names = ("fixed", "moving")
    images = [found["images"][name] for name in names]
    inputs, hashes = found["inputs"], found["sha256"]["inputs"]
    rows: list[Row] = [
        ["file", *(inputs[name] for name in names)],
        ["voxels", *(" x ".join(map(str, image["size"])) for image in images)],
        ["spacing (mm)", *(" x ".join(f"{s:.4g}" for s in image["spacing_mm"]) for image in images)],
        ["voxel axes lead to", *(axes_in_words(image) for image in images)],
    ]
    series = [inputs.get(f"{name}_series", "") for name in names]
    if any(series):
        rows.append(["series", *series])
    rows.append(["SHA-256", *(hashes[name] for name in names)])
    return Table("Images", rows, ("", "fixed", "moving"), is_printed=True)


def _making(found: dict[str, Any]) -> Table:
    hashes = found["sha256"]["inputs"]
    others: list[Row] = [
        [name.replace("_", " "), f"{path} (SHA-256 {hashes[name]})"]
        for name, path in found["inputs"].items()
        if name not in NO_FILES
    ]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    rows: list[Row] = [["date", found["date"]], ["command", found["command"]], *others, ["versions", versions]]
    return Table("How it was made", rows, is_printed=True)


def _shown(value: object) -> str:
    return "not given" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
