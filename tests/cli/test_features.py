# SPDX-License-Identifier: Apache-2.0
"""`disa features` and `disa heatmap`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

import disa
from disa.cli.app import app
from helpers.commands import run


def test_features_and_heatmap_are_those_of_the_library(tmp_path: Path) -> None:
    noise = sitk.GetImageFromArray(np.random.default_rng(1).normal(size=(24, 26, 28)).astype(np.float32))
    noise.SetSpacing((2.0, 2.0, 2.0))
    image = sitk.SmoothingRecursiveGaussian(noise, 4.0)
    path = tmp_path / "image.mha"
    sitk.WriteImage(image, str(path))
    result = run(app, ["features", str(path), "-o", f"{tmp_path}/f.disa", "--stride", "2", "--device", "cpu"])
    assert result.exit_code == 0, result.output
    found, expected = disa.FeatureVolume.load(f"{tmp_path}/f.disa"), disa.extract_features(image, stride=2)
    np.testing.assert_array_equal(found.data, expected.data)
    result = run(app, ["heatmap", str(path), str(path), "--point", "20", "22", "18", "-o", f"{tmp_path}/map.nii.gz"])
    assert result.exit_code == 0, result.output
    heat = sitk.GetArrayFromImage(sitk.ReadImage(f"{tmp_path}/map.nii.gz"))
    expected_map = disa.similarity_map(expected, (20.0, 22.0, 18.0), expected)
    np.testing.assert_allclose(heat, sitk.GetArrayFromImage(expected_map), atol=1e-6)
