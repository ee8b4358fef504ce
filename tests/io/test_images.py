# SPDX-License-Identifier: Apache-2.0
"""Bad input gets one line that says what was expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.io.images import load_image
from helpers.images import structured_image


def _with(value: float) -> sitk.Image:
    pixels = sitk.GetArrayFromImage(structured_image())
    pixels[3, 4, 5] = value
    return sitk.GetImageFromArray(pixels)


def _sheared() -> sitk.Image:
    image = structured_image()
    image.SetDirection((1.0, 0.5, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    return image


BAD = {
    "2-D": (sitk.Image([30, 30], sitk.sitkFloat32), "3-D"),
    "4-D": (sitk.Image([8, 8, 8, 2], sitk.sitkFloat32), "3-D"),
    "one slice": (structured_image((30, 30, 20))[:, :, 3:4], "2 slices or more"),
    "vector": (sitk.Image([9, 9, 9], sitk.sitkVectorFloat32), "one real number"),
    "complex": (sitk.Image([9, 9, 9], sitk.sitkComplexFloat32), "one real number"),
    "empty": (sitk.Image(), "3-D"),
    "NaN": (_with(np.nan), "NaN or infinity"),
    "infinity": (_with(np.inf), "NaN or infinity"),
    "constant": (sitk.Image([20, 20, 20], sitk.sitkInt16) + 7, "every voxel is 7"),
    "sheared": (_sheared(), "orthonormal"),
    "array": (np.zeros((9, 9, 9)), "SimpleITK image, an ITK image or a path"),
    "None": (None, "SimpleITK image, an ITK image or a path"),
}


@pytest.mark.parametrize("name", BAD)
def test_images_that_cannot_be_used_are_refused_in_one_line(name: str) -> None:
    image, expected = BAD[name]
    with pytest.raises(disa.ImageError, match=expected) as caught:
        disa.extract_features(image)
    assert "\n" not in str(caught.value)


def test_files_are_named_in_the_message(tmp_path: Path) -> None:
    text = tmp_path / "notes.nii.gz"
    text.write_text("not an image")
    for path, expected in (
        (tmp_path / "none.nii", "no such file"),
        (text, "not readable"),
        (tmp_path, "no DICOM series"),
    ):
        with pytest.raises(disa.ImageError, match=expected) as caught:
            disa.extract_features(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz", "v.nrrd", "v.mha"])
def test_files_that_end_early_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    sitk.WriteImage(structured_image(), str(path))
    load_image(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 9 // 10])
    with pytest.raises(disa.ImageError, match=rf"^{path}: ") as caught:
        load_image(path)
    assert "\n" not in str(caught.value)


def test_a_huge_grid_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(disa.ImageError, match="larger spacing"):
        disa.extract_features(structured_image(), spacing=0.01)


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf")])
def test_spacing_must_be_a_length(spacing: float) -> None:
    with pytest.raises(disa.ImageError, match="mm above 0"):
        disa.extract_features(structured_image(), spacing=spacing)


@pytest.mark.images
def test_integer_images_are_taken(image: sitk.Image) -> None:
    integers = sitk.Cast(image, sitk.sitkInt16)
    features = disa.extract_features(integers)
    assert np.any(features.data)


NRRD = "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n{}\n\n"
META = "NDims = 3\nDimSize = 2 3 4\nElementType = MET_UCHAR\nBinaryData = True\n{}\nElementDataFile = LOCAL\n"


@pytest.mark.parametrize(
    ("name", "field", "unit"),
    [
        ("a.nrrd", 'space: LPS\nspace units: "um" "um" "um"\nspace directions: (1,0,0) (0,1,0) (0,0,1)', "um"),
        ("a.nrrd", 'spacings: 2 2 2\nunits: "m" "m" "m"', "m"),
        ("a.nrrd", 'spacings: 2 2 2\nunits: "\u00b5m" "\u00b5m" "\u00b5m"', "\\xb5m"),
        ("a.nrrd", 'spacings: 2 2 2\nunits: "mm" "mm" ""', None),
        ("a.mha", "DistanceUnits = cm\nElementSpacing = 2 2 2", "cm"),
        ("a.mha", "DistanceUnits = mm\nElementSpacing = 2 2 2", None),
        ("a.mha", "Comment = in DistanceUnits = cm\nElementSpacing = 2 2 2", None),
    ],
)
def test_lengths_in_other_units_are_not_taken_for_mm(tmp_path: Path, name: str, field: str, unit: str | None) -> None:
    path = tmp_path / name
    head = (NRRD if name.endswith(".nrrd") else META).format(field)
    path.write_bytes(head.encode() + bytes(range(24)))
    if unit is None:
        assert disa.read_image(path).GetSize() == (2, 3, 4)
        return
    with pytest.raises(disa.ImageError) as caught:
        disa.read_image(path)
    said = f"its lengths are in '{unit}', which ITK takes for mm; write its spacing and origin in mm"
    assert str(caught.value) == f"{path}: {said}"
