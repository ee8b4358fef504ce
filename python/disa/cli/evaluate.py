# SPDX-License-Identifier: Apache-2.0
"""`disa evaluate`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from disa.cli.common import (
    JsonOption,
    OptionError,
    ShearedOption,
    check_together,
    one_line,
    path_argument,
    path_option,
    print_json,
)

if TYPE_CHECKING:
    import SimpleITK as sitk

    from disa.io.reading import ImageFile


def evaluate(
    transform: Annotated[Path, path_argument(help="from fixed to moving points: .h5, .tfm, .mat, displacement image")],
    fixed_landmarks: Annotated[Path | None, path_option(help="CSV table: x, y, z in mm (LPS)")] = None,
    moving_landmarks: Annotated[Path | None, path_option(help="the same places in the moving image, in order")] = None,
    fixed_labels: Annotated[Path | None, path_option(help="label map on the fixed image")] = None,
    moving_labels: Annotated[Path | None, path_option(help="label map on the moving image")] = None,
    resample_sheared: ShearedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a transform against landmarks (mm) or label maps (Dice, HD95)."""
    with one_line():
        from disa.io.reading import ImageFile
        from disa.io.transform_files import read_transform

        mapping = read_transform(transform)
        for one, other, what in (
            (fixed_landmarks, moving_landmarks, "landmarks"),
            (fixed_labels, moving_labels, "labels"),
        ):
            check_together({f"--fixed-{what}": one, f"--moving-{what}": other})
        result: dict[str, Any] = {}
        if fixed_landmarks and moving_landmarks:
            result["landmarks"] = _landmarks(mapping, fixed_landmarks, moving_landmarks)
        if fixed_labels and moving_labels:
            maps = (ImageFile(path, resample_sheared=resample_sheared) for path in (fixed_labels, moving_labels))
            result["labels"] = _labels(mapping, *maps)
        if not result:
            raise OptionError("nothing to measure by; give --fixed-landmarks and --moving-landmarks, or label maps")
    print_json(result) if as_json else _print(result)


def _landmarks(mapping: sitk.Transform, fixed: Path, moving: Path) -> dict[str, Any]:
    import numpy as np
    import SimpleITK as sitk

    from disa.evaluation import landmark_errors
    from disa.io.points import read_points

    places = read_points(fixed).positions, read_points(moving).positions
    errors = landmark_errors(mapping, *places)
    return {
        "count": len(errors),
        "identity_mean_mm": float(landmark_errors(sitk.Transform(3, sitk.sitkIdentity), *places).mean()),
        "mean_mm": float(errors.mean()),
        "median_mm": float(np.median(errors)),
        "max_mm": float(errors.max()),
        "errors_mm": errors.tolist(),
    }


def _labels(mapping: sitk.Transform, fixed: ImageFile, moving: ImageFile) -> list[dict[str, Any]]:
    from disa.cli.progress_bar import progress_bar
    from disa.evaluation import dice, hausdorff95, labels_of
    from disa.geometry.applying import LABELS, resampled
    from disa.io.images import load_labels
    from disa.progress import announce

    rows = []
    with progress_bar({"labels": [("resampling", 1.0), ("measuring", 5.0)]}):
        target = load_labels(fixed)
        moved = resampled(load_labels(moving), target, mapping, LABELS)
        labels = labels_of(target, moved)
        for index, label in enumerate(labels):
            announce("measuring", index / len(labels))
            values = {"dice": dice(target, moved, label), "hd95_mm": hausdorff95(target, moved, label)}
            rows.append(
                {"label": label, **{name: value if math.isfinite(value) else None for name, value in values.items()}}
            )
    return rows


def _print(result: dict[str, Any]) -> None:
    from disa.cli.tables import print_pairs, print_rows

    if "landmarks" in result:
        about = {name: value for name, value in result["landmarks"].items() if name != "errors_mm"}
        print_pairs({name: f"{value:.3f}" if isinstance(value, float) else value for name, value in about.items()})
    if "labels" in result:
        print_rows(
            ("label", "dice", "hd95_mm"), [[row["label"], row["dice"], row["hd95_mm"]] for row in result["labels"]]
        )
