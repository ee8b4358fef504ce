"""The commands that apply, measure and describe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

import disa
from disa.cli.app import app
from disa.evaluation import dice, hausdorff95

run = CliRunner().invoke

SHIFT = (4.0, -6.0, 2.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An image, a label map, points and a translation."""
    rng = np.random.default_rng(0)
    image = sitk.GetImageFromArray(rng.normal(size=(12, 13, 14)).astype(np.float32))
    image.SetSpacing((2.0, 2.0, 2.0))
    image.SetOrigin((-10.0, 5.0, 20.0))
    sitk.WriteImage(image, str(tmp_path / "image.nii.gz"))
    labels = np.zeros((12, 13, 14), np.uint8)
    labels[3:8, 4:9, 4:9] = 1
    labels[9:11, 2:5, 9:12] = 7
    map_ = sitk.GetImageFromArray(labels)
    map_.CopyInformation(image)
    sitk.WriteImage(map_, str(tmp_path / "labels.nii.gz"))
    sitk.WriteTransform(sitk.TranslationTransform(3, SHIFT), str(tmp_path / "shift.tfm"))
    (tmp_path / "points.csv").write_text("name,x,y,z\napex,0,10,30\nhilum,4.5,12,28\n")
    return tmp_path


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


def test_dice_and_hausdorff_distance_of_a_shifted_cube() -> None:
    maps = []
    for first in (4, 6):
        values = np.zeros((20, 20, 20), np.uint8)
        values[5:15, 5:15, first : first + 10] = 3
        maps.append(sitk.GetImageFromArray(values))
        maps[-1].SetSpacing((1.5, 1.0, 1.0))
    assert dice(*maps, 3) == pytest.approx(0.8)
    assert hausdorff95(*maps, 3) == pytest.approx(3.0)  # two voxels of 1.5 mm
    assert hausdorff95(maps[0], maps[0], 3) == 0.0
    assert np.isnan(dice(*maps, 2)) and np.isnan(hausdorff95(*maps, 2))


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


def test_the_doctor_finds_this_installation_well() -> None:
    result = run(app, ["doctor", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["failures"] == [] and "disa-lc2" in found["models"] and "portable" in found["kernels"]
    assert "self-test" in run(app, ["doctor"]).output


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["apply", "none.tfm", "points.csv", "-o", "x.csv"], "none.tfm: no such file; expected a transform"),
        (["apply", "points.csv", "points.csv", "-o", "x.csv"], "points.csv: not readable as a transform"),
        (["apply", "image.nii.gz", "points.csv", "-o", "x.csv"], "image.nii.gz: an image, but not of displacements"),
        (["apply", "shift.tfm", "image.nii.gz", "-o", "x.mha"], "give --reference"),
        (["apply", "shift.tfm", "shift.csv", "-o", "x.csv"], "shift.csv: No such file"),
        (["apply", "shift.tfm", "points.csv", "-o", "points.csv/x.csv"], "points.csv/x.csv: cannot be written"),
        (
            ["apply", "shift.tfm", "image.nii.gz", "-o", "x.xyz", "--reference", "image.nii.gz"],
            "x.xyz: ITK cannot write it",
        ),
        (["evaluate", "shift.tfm"], "nothing to measure by"),
        (["evaluate", "shift.tfm", "--fixed-labels", "labels.nii.gz"], "give both"),
        (["features", "image.nii.gz", "-o", "x.disa", "--spacing", "0"], "spacing: expected mm above 0"),
        (["heatmap", "image.nii.gz", "image.nii.gz", "--point", "0", "0", "900", "-o", "x.mha"], "lies outside"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], says: str
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(path.name for path in folder.iterdir())
    result = run(app, command)
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1 and says in result.output
    assert sorted(path.name for path in folder.iterdir()) == before
