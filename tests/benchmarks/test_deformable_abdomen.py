# SPDX-License-Identifier: Apache-2.0
"""The protocol of AbdomenMRCT on a made-up folder of its layout."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import deformable_abdomen
import numpy as np
import pytest
import SimpleITK as sitk

from helpers.images import structured_image

SIZE, SPACING, SHIFT = (40, 36, 32), 2.0, 3


def cube(begin: tuple[int, int, int], side: int, value: int, volume: np.ndarray) -> None:
    volume[tuple(slice(b, b + side) for b in begin)] = value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One pair; of two organs, one lies SHIFT voxels off in the second image."""
    for part in ("imagesTr", "labelsTr", "masksTr"):
        (tmp_path / part).mkdir()
    for index in (0, 1):
        labels = np.zeros(SIZE[::-1], np.uint8)
        cube((6, 6, 6), 10, 1, labels)
        cube((18, 20, 20 + index * SHIFT), 10, 2, labels)
        name = f"AbdomenMRCT_0001_{index:04d}.nii.gz"
        for part, image in (
            ("imagesTr", structured_image(SIZE, seed=index)),
            ("labelsTr", sitk.GetImageFromArray(labels)),
            ("masksTr", sitk.GetImageFromArray(np.ones_like(labels))),
        ):
            image.SetOrigin((0.0, 0.0, 0.0))
            image.SetSpacing((SPACING,) * 3)
            image.SetDirection(np.eye(3).ravel().tolist())
            sitk.WriteImage(image, str(tmp_path / part / name))
    pair = {key: f"./imagesTr/AbdomenMRCT_0001_000{n}.nii.gz" for n, key in enumerate(("fixed", "moving"))}
    (tmp_path / "AbdomenMRCT_dataset.json").write_text(json.dumps({"training_paired_images": [pair]}))
    return tmp_path


def test_dice_and_distances_are_those_of_the_labels(folder: Path) -> None:
    images = [folder / "imagesTr" / f"AbdomenMRCT_0001_000{n}.nii.gz" for n in (0, 1)]
    outcome = deformable_abdomen.measure(deformable_abdomen.Work("MR", *images, "identity"))
    assert outcome.dice == pytest.approx([1.0, (10 - SHIFT) / 10])
    assert outcome.hausdorff == pytest.approx([0.0, SHIFT * SPACING])
    assert outcome.folds == 0.0


def test_both_ways_are_tabled(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["deformable_abdomen.py", str(folder), "--methods", "identity"])
    deformable_abdomen.main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0] for row in rows] == ["| MR", "| CT"]
    assert [row[3:7] for row in rows] == [["0.775", "0.850", "0.925", "3.00"]] * 2


def test_a_folder_without_labels_is_told_before_anything_is_registered(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "labelsTr" / "AbdomenMRCT_0001_0001.nii.gz").unlink()
    monkeypatch.setattr(sys, "argv", ["deformable_abdomen.py", str(folder), "--methods", "identity"])
    with pytest.raises(SystemExit):
        deformable_abdomen.main()
    output = capsys.readouterr()
    assert "AbdomenMRCT_0001_0001.nii.gz: no such file, though AbdomenMRCT has labels" in output.err
    assert not output.out
