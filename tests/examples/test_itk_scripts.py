# SPDX-License-Identifier: Apache-2.0
"""The scripts in examples/itk run, and recover a known deformation."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

from helpers.known_deformation import Pair, deformed_pair, error_of
from helpers.paths import EXAMPLES

SCRIPTS = EXAMPLES / "itk"


@pytest.fixture(scope="module")
def pair() -> Pair:
    return deformed_pair()


@pytest.mark.parametrize(("name", "output"), [("bspline.py", "found.tfm"), ("syn.py", "found.h5")])
def test_a_known_deformation_is_recovered(
    name: str,
    output: str,
    pair: Pair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [str(tmp_path / file) for file in ("fixed.mha", "moving.mha", output)]
    for image, path in zip(pair[:2], paths, strict=False):
        sitk.WriteImage(image, path)
    monkeypatch.setattr(sys, "argv", [name, *paths])
    runpy.run_path(str(SCRIPTS / name), run_name="__main__")
    found = sitk.ReadTransform(paths[2])
    assert error_of(sitk.Transform(3, sitk.sitkIdentity), pair[2]) > 10.0
    assert error_of(found, pair[2]) < (2.5 if name == "bspline.py" else 3.5)
