# SPDX-License-Identifier: Apache-2.0
"""The commands that apply, measure and describe."""

from __future__ import annotations

import json
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
    outside = 0.0 if labels else float(sitk.GetArrayFromImage(image).min())
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


@pytest.mark.parametrize(
    ("name", "interpolator"),
    [
        ("nearest", sitk.sitkNearestNeighbor),
        ("bspline", sitk.sitkBSpline),
        ("windowed-sinc", sitk.sitkLanczosWindowedSinc),
    ],
)
def test_interpolators_and_the_value_outside_are_those_of_simpleitk(folder: Path, name: str, interpolator: int) -> None:
    image, out = folder / "image.nii.gz", folder / "out.nii.gz"
    command = ["apply", f"{folder}/shift.tfm", str(image), "-o", str(out), "--reference", str(image)]
    assert run(app, [*command, "--interpolation", name, "--default-value", "-7.5"]).exit_code == 0
    source = sitk.ReadImage(str(image))
    expected = sitk.Resample(source, source, sitk.TranslationTransform(3, SHIFT), interpolator, -7.5)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(out))), sitk.GetArrayFromImage(expected))
    assert (sitk.GetArrayFromImage(expected) == -7.5).any()


def test_label_gaussian_makes_no_labels_up_and_is_0_outside(folder: Path) -> None:
    labels = folder / "labels.nii.gz"
    command = ["apply", f"{folder}/shift.tfm", str(labels), "-o", f"{folder}/out.nii.gz", "--reference", str(labels)]
    assert run(app, [*command, "--interpolation", "label-gaussian"]).exit_code == 0
    values = sitk.GetArrayFromImage(sitk.ReadImage(f"{folder}/out.nii.gz"))
    assert set(np.unique(values)) == {0, 1, 7}
    result = run(app, [*command, "--labels", "--interpolation", "linear"])
    assert result.exit_code == 2 and "makes labels up" in result.output
    result = run(app, [*command, "--default-value", "300"])
    assert result.exit_code == 1 and "expected a whole number from 0 to 255" in result.output


LIST = """# Markups fiducial file version = 4.11
# CoordinateSystem = {}
# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID
1,{},{},30.000,0.000,0.000,0.000,1.000,1,1,0,"apex, left",,vtkMRMLScalarVolumeNode1
"""


@pytest.mark.parametrize(("system", "sign"), [("LPS", 1), ("RAS", -1), ("0", -1), ("1", 1)])
def test_markup_lists_of_slicer_stay_in_their_coordinate_system(folder: Path, system: str, sign: int) -> None:
    (folder / "p.fcsv").write_text(LIST.format(system, 0, sign * 10))
    assert run(app, ["apply", f"{folder}/shift.tfm", f"{folder}/p.fcsv", "-o", f"{folder}/q.fcsv"]).exit_code == 0
    found = (folder / "q.fcsv").read_text().splitlines()
    expected = LIST.format(system, f"{sign * 4:.6f}", f"{sign * 4:.6f}").replace("30.000", "32.000000").splitlines()
    assert found == expected


@pytest.mark.parametrize(("system", "sign"), [("LPS", 1.0), ("RAS", -1.0)])
def test_markups_of_slicer_stay_in_their_coordinate_system(folder: Path, system: str, sign: float) -> None:
    point = {"id": "1", "label": "\u00e4", "position": [0.0, sign * 10.0, 30.0], "orientation": [1.0] * 9}
    markup = {"type": "Line", "coordinateSystem": system, "controlPoints": [point], "display": {"opacity": 0.5}}
    content = {"@schema": "s", "markups": [markup | {"measurements": [{"name": "length", "value": 3.0}]}]}
    (folder / "p.mrk.json").write_text(json.dumps(content))
    ran = run(app, ["apply", f"{folder}/shift.tfm", f"{folder}/p.mrk.json", "-o", f"{folder}/q.mrk.json"])
    assert ran.exit_code == 0, ran.output
    point["position"] = [sign * 4.0, sign * 4.0, 32.0]
    assert json.loads((folder / "q.mrk.json").read_text()) == {"@schema": "s", "markups": [markup]}


def test_points_are_written_as_they_were_read(folder: Path) -> None:
    (folder / "bare.csv").write_text("0,10,30,apex\n1,2,3,\n")
    command = ["apply", f"{folder}/shift.tfm", f"{folder}/bare.csv", "-o"]
    assert run(app, [*command, f"{folder}/moved.csv"]).exit_code == 0
    assert (folder / "moved.csv").read_text() == "4.000000,4.000000,32.000000,apex\n5.000000,-4.000000,5.000000,\n"
    result = run(app, [*command, f"{folder}/moved.fcsv"])
    assert result.exit_code == 1 and "give a name that ends in .csv" in result.output


def wave(reach: float) -> sitk.DisplacementFieldTransform:
    """A field of so many mm, at nodes of 5 mm."""
    z, y, x = 5.0 * np.mgrid[:20, :20, :20]
    moves = reach * np.stack([np.sin(y / 25), np.sin(z / 25), np.sin(x / 25)], -1)
    field = sitk.GetImageFromArray(moves, isVector=True)
    field.SetSpacing((5.0,) * 3)
    return sitk.DisplacementFieldTransform(field)


def test_the_inverse_of_a_field_is_a_file_that_leads_back(folder: Path) -> None:
    pose = sitk.Euler3DTransform((40.0, 40.0, 40.0), 0.1, 0.0, -0.2, (3.0, 1.0, 0.0))
    there = sitk.CompositeTransform([pose, wave(6.0)])
    sitk.WriteTransform(there, f"{folder}/there.tfm")
    assert run(app, ["apply", f"{folder}/there.tfm", "--inverse", "-o", f"{folder}/back.tfm"]).exit_code == 0
    back = sitk.ReadTransform(f"{folder}/back.tfm")
    places = np.random.default_rng(0).uniform(25.0, 65.0, (50, 3))
    again = [back.TransformPoint(there.TransformPoint(place)) for place in places.tolist()]
    assert np.abs(again - places).max() < 0.1


def test_a_field_that_folds_has_no_inverse_and_a_spline_needs_a_grid(folder: Path) -> None:
    sitk.WriteTransform(wave(40.0), f"{folder}/folded.tfm")
    result = run(app, ["apply", f"{folder}/folded.tfm", "--inverse", "-o", f"{folder}/back.tfm"])
    assert result.exit_code == 1 and "cannot be inverted" in result.output
    image = sitk.ReadImage(f"{folder}/image.nii.gz")
    spline = sitk.BSplineTransformInitializer(image, (3, 3, 3))
    spline.SetParameters(np.random.default_rng(0).uniform(-1.0, 1.0, len(spline.GetParameters())).tolist())
    sitk.WriteTransform(spline, f"{folder}/spline.tfm")
    command = ["apply", f"{folder}/spline.tfm", "--inverse", "-o", f"{folder}/back.nii.gz"]
    result = run(app, command)
    assert result.exit_code == 1 and "give --reference" in result.output
    assert run(app, [*command, "--reference", f"{folder}/image.nii.gz"]).exit_code == 0
    moved = spline.TransformPoint((3.0, 17.0, 31.0))
    (folder / "p.csv").write_text(",".join(map(str, moved)))
    assert run(app, ["apply", f"{folder}/back.nii.gz", f"{folder}/p.csv", "-o", f"{folder}/q.csv"]).exit_code == 0
    found = [float(word) for word in (folder / "q.csv").read_text().split(",")]
    np.testing.assert_allclose(found, (3.0, 17.0, 31.0), atol=0.05)


def test_transforms_are_applied_one_after_the_other(folder: Path) -> None:
    affine = sitk.AffineTransform((2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    sitk.WriteTransform(affine, f"{folder}/affine.mat")
    command = ["apply", f"{folder}/shift.tfm", f"{folder}/points.csv", "--then", f"{folder}/affine.mat"]
    assert run(app, [*command, "-o", f"{folder}/moved.csv"]).exit_code == 0
    assert (folder / "moved.csv").read_text().splitlines()[1] == "apex,9.000000,4.000000,32.000000"


def test_a_turn_written_as_a_field_is_inverted_up_to_its_border(folder: Path) -> None:
    """Near the border the way back comes from outside of the field."""
    turn = sitk.Euler3DTransform((40.0, 40.0, 40.0), 0.0, 0.0, 0.15)
    sitk.WriteTransform(turn, f"{folder}/turn.tfm")
    grid = sitk.Image((21, 21, 21), sitk.sitkUInt8)
    grid.SetSpacing((4.0, 4.0, 4.0))
    sitk.WriteImage(grid, f"{folder}/grid.nii.gz")
    command = ["apply", f"{folder}/turn.tfm", "--reference", f"{folder}/grid.nii.gz", "-o", f"{folder}/turn.nii.gz"]
    assert run(app, command).exit_code == 0
    result = run(app, ["apply", f"{folder}/turn.nii.gz", "--inverse", "-o", f"{folder}/back.h5"])
    assert result.exit_code == 0, result.output
    back = sitk.ReadTransform(f"{folder}/back.h5")
    places = np.random.default_rng(0).uniform(4.0, 76.0, (200, 3))
    there = [place for place in places.tolist() if max(np.abs(np.subtract(turn.TransformPoint(place), 40.0))) < 38.0]
    again = [back.TransformPoint(turn.TransformPoint(place)) for place in there]
    assert len(there) > 100 and np.abs(np.subtract(again, there)).max() < 0.2


@pytest.mark.parametrize("name", ["out.nii.gz", "out.txt", "out.fcsv"])
def test_points_are_not_written_under_the_name_of_something_else(folder: Path, name: str) -> None:
    result = run(app, ["apply", f"{folder}/shift.tfm", f"{folder}/points.csv", "-o", f"{folder}/{name}"])
    assert result.exit_code == 1 and "give a name that ends in .csv" in result.output
    assert not (folder / name).exists()
