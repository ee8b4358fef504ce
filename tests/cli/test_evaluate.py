# SPDX-License-Identifier: Apache-2.0
"""`disa evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from disa.cli.app import app
from disa.cli.tables import print_rows
from helpers.commands import SHIFT, run


def test_landmarks_and_labels_are_measured(folder: Path) -> None:
    run(app, ["apply", f"{folder}/shift.tfm", f"{folder}/points.csv", "-o", f"{folder}/true.csv"])
    sitk.WriteTransform(sitk.TranslationTransform(3, (4.0, -6.0, 5.0)), f"{folder}/wrong.tfm")
    options = ["--fixed-landmarks", f"{folder}/points.csv", "--moving-landmarks", f"{folder}/true.csv"]
    options += ["--fixed-labels", f"{folder}/labels.nii.gz", "--moving-labels", f"{folder}/labels.nii.gz", "--json"]
    result = run(app, ["evaluate", f"{folder}/wrong.tfm", *options])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["landmarks"]["mean_mm"] == pytest.approx(3.0)
    assert found["landmarks"]["identity_mean_mm"] == pytest.approx(np.linalg.norm(SHIFT))
    assert [row["label"] for row in found["labels"]] == [1, 7]
    assert 0 < found["labels"][0]["dice"] < 1
    assert "hd95_mm" in run(app, ["evaluate", f"{folder}/wrong.tfm", *options[:-1]]).output


def test_a_table_that_is_piped_is_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(("label", "dice"), [[120 * "a", 0.5], ["b", 0.25]])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[1].split() == [120 * "a", "0.500"]
