# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from helpers.images import structured_image

pytest.importorskip("scipy")

from cases import (
    eval_cases,
    in_roles,
    learn2reg_cases,
    muregpro_cases,
    remind2reg_cases,
    resect_cases,
    table_cases,
    ultrasound_cases,
)
from pairs import generator, load

from disa.errors import ImageError

TAGS = """MNI Tag Point File
Volumes = 2;
% one of the MR, one of the ultrasound

Points =
 -10 20 5 -12 23 6 ""
 4.5 -8 9 2.5 -5 10 ""
 0 0 0 -2 3 1 ""
 7 7 -7 5 10 -6 "";
"""


def write(image: sitk.Image, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def black_outside(image: sitk.Image) -> sitk.Image:
    """Positive within the middle, 0 elsewhere, as ultrasound is."""
    pixels = sitk.GetArrayFromImage(image)
    seen = np.zeros_like(pixels)
    seen[8:-8, 8:-8, 8:-8] = 1
    black = sitk.GetImageFromArray((pixels - pixels.min() + 1) * seen)
    black.CopyInformation(image)
    return black


@pytest.fixture
def resect(tmp_path: Path, image: sitk.Image) -> Path:
    folder = tmp_path / "RESECT"
    for case in ("Case2", "Case10", "Case3"):
        at = folder / "NIFTI" / case
        write(black_outside(image), at / "US" / f"{case}-US-before.nii.gz")
        write(image, at / "MRI" / f"{case}-FLAIR.nii.gz")
        write(image, at / "MRI" / f"{case}-T1.nii.gz")
        if case != "Case3":
            (at / "Landmarks").mkdir()
            (at / "Landmarks" / f"{case}-MRI-beforeUS.tag").write_text(TAGS)
    return folder


def test_resect_folder_gives_each_modality_with_landmarks_in_lps(resect: Path) -> None:
    cases = resect_cases(resect)
    assert [case.name for case in cases] == ["Case2-FLAIR", "Case2-T1", "Case10-FLAIR", "Case10-T1"]
    assert cases[0].fixed.name == "Case2-US-before.nii.gz" and cases[1].moving.name == "Case2-T1.nii.gz"
    assert cases[0].moving_points[0] == (10.0, -20.0, 5.0)
    assert cases[0].fixed_points[1] == (-2.5, 5.0, 10.0)


def test_landmarks_give_truth_and_errors(resect: Path) -> None:
    pair = load(resect_cases(resect)[0], 0, 0)
    # the ultrasound's points are the MR's less (2, -3, -1) in RAS
    assert pair.error(pair.truth) < 1e-6
    assert pair.error(sitk.Transform()) == pytest.approx(14**0.5)
    start = pair.start(generator(resect_cases(resect)[0], 1), (10.0, 12.0))
    assert 10.0 <= pair.error(start) <= 12.0
    assert pair.fixed_mask is not None
    assert 0 < sitk.GetArrayFromImage(pair.fixed_mask).mean() < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "no tags",
        TAGS.replace("Volumes = 2", "Volumes = 1"),
        TAGS.replace("4.5 -8", "4.5"),
        "MNI Tag Point File\nVolumes = 2;\nPoints =\n 1 2 3 4 5 6;\n",
    ],
)
def test_bad_tags_are_named(resect: Path, text: str) -> None:
    file = resect / "NIFTI" / "Case2" / "Landmarks" / "Case2-MRI-beforeUS.tag"
    file.write_text(text)
    with pytest.raises(ImageError, match=r"Case2-MRI-beforeUS\.tag: .*expected"):
        resect_cases(resect)


def test_resect_folder_without_a_patient_that_has_all_files(resect: Path) -> None:
    for case in ("Case2", "Case10"):
        (resect / "NIFTI" / case / "US" / f"{case}-US-before.nii.gz").unlink()
    with pytest.raises(ImageError, match=r"NIFTI: no folder CaseN with US/.*; expected RESECT's published"):
        resect_cases(resect)


@pytest.fixture
def abdomen(tmp_path: Path, image: sitk.Image) -> Path:
    pairs = []
    for number in ("0001", "0002"):
        names = [f"imagesTr/AbdomenMRCT_{number}_000{modality}.nii.gz" for modality in (0, 1)]
        for name in names:
            write(image, tmp_path / name)
        pairs.append({"fixed": f"./{names[0]}", "moving": f"./{names[1]}"})
    write(sitk.Cast(image > 0, sitk.sitkUInt8), tmp_path / "masksTr" / "AbdomenMRCT_0001_0000.nii.gz")
    table = {"name": "AbdomenMRCT", "numPairedTraining": 2, "training_paired_images": pairs}
    (tmp_path / "AbdomenMRCT_dataset.json").write_text(json.dumps(table))
    return tmp_path


def test_learn2reg_folder_gives_pairs_and_the_masks_that_are_there(abdomen: Path) -> None:
    first, second = learn2reg_cases(abdomen)
    assert first.name == "AbdomenMRCT_0001" and first.moving.name == "AbdomenMRCT_0001_0001.nii.gz"
    assert first.fixed_mask == abdomen / "masksTr" / "AbdomenMRCT_0001_0000.nii.gz"
    assert first.moving_mask is None and second.fixed_mask is None
    pair = load(first, 0, 0)
    assert pair.fixed_mask is not None and pair.error(sitk.Transform()) == 0.0


def test_learn2reg_folder_without_its_table_or_an_image(abdomen: Path) -> None:
    (abdomen / "imagesTr" / "AbdomenMRCT_0002_0001.nii.gz").unlink()
    with pytest.raises(ImageError, match=r"AbdomenMRCT_0002_0001\.nii\.gz: no such file"):
        learn2reg_cases(abdomen)
    (abdomen / "AbdomenMRCT_dataset.json").write_text("{}")
    with pytest.raises(ImageError, match=r"AbdomenMRCT_dataset\.json: expected"):
        learn2reg_cases(abdomen)


@pytest.fixture
def remind(tmp_path: Path, oblique_image: sitk.Image) -> Path:
    names = [f"ReMIND2Reg_{name}.nii.gz" for name in ("0000_0000", "0000_0001", "0099_0000", "0099_0001", "0099_0002")]
    for name in names:
        write(black_outside(oblique_image), tmp_path / "imagesTr" / name)
    table = {
        "name": "ReMIND2Reg",
        "training": [{"image": f"./imagesTr/{name}"} for name in names],
        "registration_val": [{"fixed": f"./imagesTr/{names[2]}", "moving": f"./imagesTr/{names[3]}"}],
    }
    (tmp_path / "ReMIND2Reg_dataset.json").write_text(json.dumps(table))
    landmarks = tmp_path / "landmarksTr"
    landmarks.mkdir()
    (landmarks / "ReMIND2Reg_0099_0000.csv").write_text("10,12,14\n30,12,14\n10.5,32,14\n10,12,30\n")
    (landmarks / "ReMIND2Reg_0099_0001.csv").write_text("12,12,14\n32,12,14\n12.5,32,14\n12,12,30\n")
    return tmp_path


def test_remind2reg_folder_gives_every_mr_of_an_ultrasound_and_landmarks_in_mm(
    remind: Path, oblique_image: sitk.Image
) -> None:
    (remind / "landmarksTr" / "ReMIND2Reg_0099_0002.csv").write_text("1,2,3\n4,5,6\n7,8,9\n1,1,1\n")
    cases = remind2reg_cases(remind)
    assert [(case.name, case.group) for case in cases] == [
        ("ReMIND2Reg_0000-ceT1", "ReMIND2Reg US/ceT1, navigated pose"),
        ("ReMIND2Reg_0099-ceT1", "ReMIND2Reg US/ceT1"),
        ("ReMIND2Reg_0099-T2", "ReMIND2Reg US/T2"),
    ]
    assert cases[1].fixed.name == "ReMIND2Reg_0099_0000.nii.gz" and cases[2].moving.name.endswith("_0099_0002.nii.gz")
    expected = oblique_image.TransformContinuousIndexToPhysicalPoint([10.5, 32.0, 14.0])
    assert cases[1].fixed_points[2] == pytest.approx(expected, abs=1e-3)
    assert load(cases[1], 0, 0).error(sitk.Transform()) == pytest.approx(2 * oblique_image.GetSpacing()[0], abs=1e-3)


def test_remind2reg_folder_that_lacks_a_file(remind: Path) -> None:
    landmarks = remind / "landmarksTr"
    with pytest.raises(ImageError, match=r"ReMIND2Reg_0099_0002\.csv: no such file, though the other image"):
        remind2reg_cases(remind)
    (landmarks / "ReMIND2Reg_0099_0001.csv").write_text("12,12,14\n32,12,14\n")
    with pytest.raises(ImageError, match=r"_0000\.csv: 4 points; expected as many as in .*_0001\.csv, 2"):
        remind2reg_cases(remind)
    for name in ("0000_0001", "0099_0000"):
        (remind / "imagesTr" / f"ReMIND2Reg_{name}.nii.gz").unlink()
    with pytest.raises(ImageError, match=r"_0000_0001\.nii\.gz: no such file, though .*lists it; 1 more are missing"):
        remind2reg_cases(remind)
    (remind / "ReMIND2Reg_dataset.json").write_text("{}")
    with pytest.raises(ImageError, match=r"ReMIND2Reg_dataset\.json: no ultrasound with an MR; expected"):
        remind2reg_cases(remind)
    (remind / "ReMIND2Reg_dataset.json").unlink()
    with pytest.raises(ImageError, match=r"ReMIND2Reg_dataset\.json: No such file.*; expected the published folder"):
        remind2reg_cases(remind)


STRUCTURES = ((20, 22, 20), (12, 22, 20), (30, 14, 22), (20, 30, 12))
"""Centres of cubes, voxels x, y, z."""


def prostate_labels(like: sitk.Image, shift: int, lost: int | None) -> sitk.Image:
    """A cube of 3 voxels a side about each centre, shifted along x; one structure without label."""
    channels = []
    for number, (x, y, z) in enumerate(STRUCTURES):
        pixels = np.zeros(like.GetSize()[::-1], np.uint8)
        if number != lost:
            pixels[z - 1 : z + 2, y - 1 : y + 2, x + shift - 1 : x + shift + 2] = 1
        channel = sitk.GetImageFromArray(pixels)
        channel.CopyInformation(like)
        channels.append(channel)
    return sitk.JoinSeries(channels)


@pytest.fixture
def prostate(tmp_path: Path, image: sitk.Image) -> Path:
    for name, lost in (("train/{}/case000000", None), ("train/{}/case000001", 1), ("val/{}/case000000", None)):
        for kind, shift in (("us", 0), ("mr", 3)):
            pixels = black_outside(image) if kind == "us" else image
            write(pixels, tmp_path / f"{name.format(f'{kind}_images')}.nii.gz")
            labels = prostate_labels(image, shift, lost if kind == "mr" else None)
            write(labels, tmp_path / f"{name.format(f'{kind}_labels')}.nii.gz")
    return tmp_path


def test_muregpro_folder_gives_centroids_of_the_structures_that_both_images_have(
    prostate: Path, image: sitk.Image
) -> None:
    cases = muregpro_cases(prostate)
    assert [case.name for case in cases] == ["train-case000000", "train-case000001", "val-case000000"]
    assert [len(case.fixed_points) for case in cases] == [4, 3, 4]
    centres = [image.TransformIndexToPhysicalPoint(centre) for centre in STRUCTURES]
    np.testing.assert_allclose(cases[1].fixed_points, [centres[0], *centres[2:]], atol=1e-3)
    assert load(cases[1], 0, 0).error(sitk.Transform()) == pytest.approx(3 * image.GetSpacing()[0], abs=1e-3)
    assert [case.name for case in muregpro_cases(prostate / "val")] == ["case000000"]


def test_muregpro_folder_that_lacks_a_file_or_labels(prostate: Path, image: sitk.Image) -> None:
    with pytest.raises(ImageError, match="no us_images; expected the published folder, with us_images, mr_images"):
        muregpro_cases(prostate / "elsewhere")
    write(prostate_labels(image, 0, None)[:, :, :, :2], prostate / "val" / "us_labels" / "case000000.nii.gz")
    with pytest.raises(ImageError, match=r"case000000\.nii\.gz: 2 structures; expected as many as in .*mr_labels.*, 4"):
        muregpro_cases(prostate)
    write(prostate_labels(image, 0, None)[:, :, :, :2], prostate / "val" / "mr_labels" / "case000000.nii.gz")
    with pytest.raises(ImageError, match="no case with labels of 3 or more structures"):
        muregpro_cases(prostate / "val")
    write(image, prostate / "val" / "mr_labels" / "case000000.nii.gz")
    with pytest.raises(ImageError, match=r"48 x 44 x 40; expected 48 x 44 x 40 and the structures as fourth axis"):
        muregpro_cases(prostate / "val")
    (prostate / "train" / "mr_images" / "case000001.nii.gz").unlink()
    with pytest.raises(ImageError, match=r"mr_images/case000001\.nii\.gz: no such file, though .*train has the case"):
        muregpro_cases(prostate)


def test_table_of_pairs_with_landmarks_and_masks(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y,z\n0,0,0\n10,0,0\n0,10,0\n")
    (tmp_path / "b.csv").write_text("x,y,z\n0,0,3\n10,0,3\n0,10,3\n")
    (tmp_path / "pairs.csv").write_text(
        "name,group,fixed,moving,fixed_mask,fixed_points,moving_points\n"
        "one,g,f.nii,m.nii,mask.nii,a.csv,b.csv\ntwo,g,f.nii,n.nii,,,\n"
    )
    one, two = table_cases(tmp_path)
    assert one.fixed_mask == tmp_path / "mask.nii" and one.moving_points[1] == (10.0, 0.0, 3.0)
    assert two.fixed_mask is None and two.fixed_points == ()
    (tmp_path / "b.csv").write_text("x,y,z\n0,0,3\n")
    with pytest.raises(ImageError, match="line 2 has 3 fixed and 1 moving points"):
        table_cases(tmp_path)
    (tmp_path / "pairs.csv").write_text("name,group,fixed\none,g,f.nii\n")
    with pytest.raises(ImageError, match="line 2 has no moving"):
        table_cases(tmp_path)
    with pytest.raises(ImageError, match=r"pairs\.csv: .*expected a table"):
        table_cases(tmp_path / "elsewhere")


def test_flat_folder_gives_pairs_with_the_t1_and_simulated_ultrasound(tmp_path: Path) -> None:
    for name in ("A_t1", "A_ct", "A_ct_gtv", "B_t1", "B_flair", "C_ct"):
        (tmp_path / f"{name}.nii.gz").touch()
    assert [(case.name, case.group) for case in eval_cases(tmp_path)] == [
        ("A_ct", "CT/T1"),
        ("B_flair", "head T1/FLAIR"),
    ]
    assert [(case.name, case.group) for case in ultrasound_cases(tmp_path)] == [
        ("A_us-ct_t1", "simulated US/T1, limb"),
        ("A_us-ct_ct", "simulated US/CT, limb"),
        ("B_us-flair_t1", "simulated US/T1, head"),
    ]


def test_no_two_grids_of_a_pair_are_alike(tmp_path: Path) -> None:
    write(structured_image(), tmp_path / "A_t1.nii.gz")
    write(structured_image(), tmp_path / "A_t2.nii.gz")
    case = eval_cases(tmp_path)[0]
    directions = [load(case, 0, pose).moving.GetDirection() for pose in (0, 1)]
    assert not np.allclose(directions[0], directions[1], atol=0.01)
    assert not np.allclose(directions[0], load(case, 0, 0).fixed.GetDirection(), atol=0.01)


def test_roles_are_swapped_with_their_points_and_masks(resect: Path) -> None:
    cases = in_roles(resect_cases(resect)[:1], "both")
    assert [(case.title, case.heading) for case in cases] == [
        ("Case2-FLAIR", "RESECT US/FLAIR"),
        ("Case2-FLAIR_swapped", "RESECT US/FLAIR, FLAIR fixed"),
    ]
    as_is, swapped = (load(case, 0, 0) for case in cases)
    np.testing.assert_array_equal(as_is.points, swapped.targets)
    assert swapped.fixed_mask is None and swapped.moving_mask is not None
    assert swapped.error(swapped.truth) < 1e-6
    one, other = (
        pair.start(generator(case, 0, 1), (10.0, 12.0)) for case, pair in zip(cases, (as_is, swapped), strict=True)
    )
    assert 10.0 <= as_is.error(one) <= 12.0
    assert swapped.error(other) == pytest.approx(as_is.error(one), abs=1e-6)
    assert as_is.error(other.GetInverse()) == pytest.approx(as_is.error(one), abs=1e-6)


def test_turned_sector_is_black_beyond_its_mask(resect: Path) -> None:
    (case,) = in_roles(resect_cases(resect)[:1], "swapped")
    pair = load(case, 0, 0)
    assert pair.moving_mask is not None
    seen = sitk.Resample(pair.moving_mask, pair.moving, sitk.Transform(), sitk.sitkNearestNeighbor)
    beyond = sitk.GetArrayFromImage(pair.moving)[sitk.GetArrayFromImage(seen) == 0]
    assert beyond.size and not beyond.any()
    assert not np.allclose(pair.moving.GetDirection(), np.eye(3).ravel(), atol=0.01)
