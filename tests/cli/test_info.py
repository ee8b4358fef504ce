# SPDX-License-Identifier: Apache-2.0
"""`disa info`: a shipped model, descriptors, and transforms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.cli.app import app
from helpers.commands import SHIFT, run


def told(what: str | Path) -> dict[str, Any]:
    result = run(app, ["info", str(what), "--json"])
    assert result.exit_code == 0, result.output
    about: dict[str, Any] = json.loads(result.output)
    shown = run(app, ["info", str(what)]).output.splitlines()
    assert len(shown) >= len(about) and all(line.strip() for line in shown)
    return about


def test_a_shipped_model_by_its_name_with_numbers_that_are_numbers() -> None:
    about = told("disa-lc2")
    assert (about["stride"], about["channels"], about["spacing_mm"], about["version"]) == (4, 16, 2.0, "4.0")


def test_descriptors_say_their_grid(tmp_path: Path) -> None:
    weights = np.zeros((3, 4, 5), np.float32)
    weights[0] = 1
    frame = {"origin": (1.0, 2.0, 3.0), "spacing": (8.0, 8.0, 8.0), "direction": np.eye(3).ravel()}
    volume = disa.FeatureVolume(data=np.ones((3, 4, 5, 16), np.int8), scale=0.01, weights=weights, **frame)
    volume.save(tmp_path / "a.disa")
    about = told(tmp_path / "a.disa")
    assert about["size"] == [5, 4, 3] and about["channels"] == 16 and about["origin_mm"] == [1.0, 2.0, 3.0]
    assert about["share_that_counts"] == pytest.approx(1 / 3)


def test_transforms_say_what_they_do_in_the_order_in_which_they_do_it(folder: Path) -> None:
    about = told(folder / "shift.tfm")
    assert about["type"] == "TranslationTransform" and about["rotation_deg"] == 0.0
    np.testing.assert_allclose(np.array(about["matrix"])[:, 3], SHIFT)
    pose = sitk.Similarity3DTransform(2.0, (0.0, 0.0, 1.0), 0.5, (1.0, 2.0, 3.0))
    field = sitk.Image((4, 5, 6), sitk.sitkVectorFloat64)
    field[1, 2, 3] = (3.0, 0.0, 4.0)
    parts = [pose, sitk.DisplacementFieldTransform(field)]
    sitk.WriteTransform(sitk.CompositeTransform(parts), f"{folder}/both.tfm")
    first, second = told(folder / "both.tfm")["first_applied"]
    assert first["size"] == [4, 5, 6] and first["displacement_mm"]["max"] == 5.0
    assert second["volume_factor"] == pytest.approx(8.0) and second["rotation_deg"] == pytest.approx(np.degrees(0.5))


def test_what_is_none_of_them_is_one_line(folder: Path) -> None:
    for what, says in (("nix", "no such model"), ("x.disa", "x.disa"), (f"{folder}/image.nii.gz", "displacements")):
        result = run(app, ["info", what])
        assert result.exit_code == 1 and says in result.output and len(result.output.splitlines()) == 1
