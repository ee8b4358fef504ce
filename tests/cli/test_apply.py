# SPDX-License-Identifier: Apache-2.0
"""The commands that apply, measure and describe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from disa.cli.app import app
from helpers.commands import SHIFT, run


def test_points_go_where_the_transform_takes_them_and_back(folder: Path) -> None:
    moved, back = folder / "moved.csv", folder / "back.csv"
    assert run(app, ["apply", f"{folder}/shift.tfm", f"{folder}/points.csv", "-o", str(moved)]).exit_code == 0
    lines = moved.read_text().splitlines()
    assert lines[0] == "name,x,y,z"
    assert lines[1] == "apex,4.000000,4.000000,32.000000"
    assert run(app, ["apply", f"{folder}/shift.tfm", str(moved), "-o", str(back), "--inverse"]).exit_code == 0
    assert back.read_text().splitlines()[2] == "hilum,4.500000,12.000000,28.000000"


@pytest.mark.parametrize("labels", [False, True])
def test_images_are_resampled_as_simpleitk_does(folder: Path, labels: bool) -> None:
    source = folder / ("labels.nii.gz" if labels else "image.nii.gz")
    command = ["apply", f"{folder}/shift.tfm", str(source), "-o", f"{folder}/out.nii.gz", "--reference", str(source)]
    assert run(app, [*command, *(["--labels"] if labels else [])]).exit_code == 0
    image = sitk.ReadImage(str(source))
    interpolator = sitk.sitkNearestNeighbor if labels else sitk.sitkLinear
    outside = 0.0 if labels else float(sitk.GetArrayViewFromImage(image).min())
    expected = sitk.Resample(image, image, sitk.TranslationTransform(3, SHIFT), interpolator, outside)
    found = sitk.ReadImage(f"{folder}/out.nii.gz")
    assert found.GetPixelID() == image.GetPixelID()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(expected))


def test_a_displacement_image_is_a_transform(folder: Path) -> None:
    image = sitk.ReadImage(f"{folder}/image.nii.gz")
    field = sitk.TransformToDisplacementField(
        sitk.TranslationTransform(3, SHIFT), sitk.sitkVectorFloat32, image.GetSize(), image.GetOrigin(),
        image.GetSpacing(), image.GetDirection(),
    )  # fmt: skip
    sitk.WriteImage(field, f"{folder}/field.nii.gz")
    command = ["apply", f"{folder}/field.nii.gz", f"{folder}/points.csv", "-o", f"{folder}/moved.csv"]
    assert run(app, command).exit_code == 0
    assert (folder / "moved.csv").read_text().splitlines()[1] == "apex,4.000000,4.000000,32.000000"
