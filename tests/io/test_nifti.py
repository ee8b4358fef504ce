# SPDX-License-Identifier: Apache-2.0
"""NIfTI: the bytes of the named file, and voxels where its header has them."""

from __future__ import annotations

import gzip
import re
import warnings
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.geometry.applying import resampled
from disa.io.images import load_image
from helpers.images import rotation, structured_image

SIZE = (20, 22, 24)
PIXELS = np.random.default_rng(0).integers(0, 1000, SIZE).astype(np.int16)
DIAGONAL = np.diag((2.0, 2.5, 3.0, 1.0))


def turned(*degrees: float, offset: Any = (3.0, -40.0, 12.5)) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = rotation(*degrees) * [2.0, 2.5, 3.0]
    affine[:3, 3] = offset
    return affine


def written(
    path: Path,
    sform: np.ndarray | None,
    qform: np.ndarray | None = None,
    codes: tuple[int, int] = (1, 1),
    pixels: Any = PIXELS,
) -> Path:
    """A file with these forms, codes of sform and qform."""
    image = nibabel.Nifti1Image(pixels, None)
    image.header.set_zooms((2.0, 2.5, 3.0))
    image.set_sform(sform, 0 if sform is None else codes[0])
    image.set_qform(qform, 0 if qform is None else codes[1])
    nibabel.save(image, path)
    return path


def affine_of(image: sitk.Image) -> np.ndarray:
    """Voxel to world, mm (RAS), as nibabel has it."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.diag((-1, -1, 1, 1)) @ affine


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img", "a.hdr"])
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_voxels_lie_where_the_form_has_them(tmp_path: Path, name: str, form: str) -> None:
    affine = turned(20, -35, 50)
    image = (nibabel.Nifti1Pair if name[2:] in ("img", "hdr") else nibabel.Nifti1Image)(PIXELS, None)
    image.header.set_zooms((2.0, 2.5, 3.0))
    image.set_sform(affine if form == "sform" else None, int(form == "sform"))
    image.set_qform(affine if form == "qform" else None, int(form == "qform"))
    nibabel.save(image, tmp_path / name)
    found = disa.read_image(tmp_path / name)
    np.testing.assert_allclose(affine_of(found), affine, atol=1e-4)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found).T, PIXELS)


@pytest.mark.parametrize(("endings"), [(".nii", ".nii.gz"), (".nii.gz", ".nii"), (".nii", ".hdr"), (".hdr", ".nii")])
def test_a_file_of_a_like_name_beside_it_is_not_read(tmp_path: Path, endings: tuple[str, str]) -> None:
    one, other = structured_image((9, 9, 9), seed=1), structured_image((9, 9, 9), seed=2)
    for ending, image in zip(endings, (one, other), strict=True):
        sitk.WriteImage(image, str(tmp_path / f"a{ending}"))
    for ending, image in zip(endings, (one, other), strict=True):
        found = sitk.GetArrayFromImage(disa.read_image(tmp_path / f"a{ending}"))
        np.testing.assert_array_equal(found, sitk.GetArrayFromImage(image))


def test_a_name_that_says_compressed_or_not_is_no_matter(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.nii", DIAGONAL)
    named = tmp_path / "plain.nii.gz"
    named.write_bytes(plain.read_bytes())
    packed = tmp_path / "packed.nii"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path, said, name in ((named, "is not compressed", r"\.nii"), (packed, "is compressed", r"\.nii\.gz")):
        what = f"^{path}: {said}, other than its name says; read as it is, but rename it to end in {name}$"
        with pytest.warns(disa.ImageWarning, match=what):
            found = disa.read_image(path)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(found).T, PIXELS)


@pytest.mark.parametrize("qform", [None, turned(5, 0, 0)])
def test_a_sheared_sform_is_resampled_where_it_is_asked_for(tmp_path: Path, qform: np.ndarray | None) -> None:
    """As of a CT of a tilted gantry, and sheared in every plane. ITK would take the qform in its place."""
    shear = np.array([[1, 0.1, -0.2, 0], [0, 1, 0.3, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    affine = turned(20, -35, 50) @ shear
    index = np.indices(SIZE).reshape(3, -1)
    places = (affine[:3, :3] @ index).T + affine[:3, 3]
    waves = np.sin(places / [21.0, 23.0, 27.0]).sum(axis=-1)
    path = written(tmp_path / "a.nii.gz", affine, qform, pixels=waves.reshape(SIZE).astype(np.float32))
    with pytest.raises(disa.ImageError, match=r"a\.nii\.gz: sheared: axes 13.3 degrees from .*--resample-sheared"):
        disa.read_image(path)
    with pytest.warns(disa.ImageWarning, match="sheared.*resampled"):
        image = disa.read_image(disa.ImageFile(path, resample_sheared=True))
    found = sitk.GetArrayFromImage(image).T
    there = affine_of(image)
    points = (there[:3, :3] @ np.indices(found.shape).reshape(3, -1)).T + there[:3, 3]
    back = np.linalg.solve(affine[:3, :3], (points - affine[:3, 3]).T).T
    inside = ((back >= 0) & (back <= np.array(SIZE) - 1)).all(axis=1)
    assert inside.sum() > 0.8 * waves.size
    expected = np.sin(points / [21.0, 23.0, 27.0]).sum(axis=-1)
    assert np.abs(found.ravel() - expected)[inside].max() < 0.02
    outside = ((back < -1) | (back > np.array(SIZE))).any(axis=1)
    np.testing.assert_array_equal(found.ravel()[outside], np.float32(waves).min())


def test_labels_on_a_sheared_grid_stay_labels(tmp_path: Path) -> None:
    shear = np.array([[2, 0, 0, 0], [0, 2, 1, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])
    labels = (PIXELS // 300 * 7).astype(np.uint8)
    path = written(tmp_path / "a.nii.gz", shear, pixels=labels)
    with pytest.warns(disa.ImageWarning, match="sheared"):
        image = disa.read_image(disa.ImageFile(path, resample_sheared=True), labels=True)
    assert set(np.unique(sitk.GetArrayFromImage(image))) == set(np.unique(labels))


@pytest.mark.parametrize(
    ("codes", "used"), [((1, 1), "sform"), ((4, 1), "qform"), ((2, 1), "qform"), ((1, 4), "sform")]
)
def test_of_two_forms_that_differ_the_used_one_is_said(tmp_path: Path, codes: tuple[int, int], used: str) -> None:
    """It is that which ITK takes, as `sitk.ReadImage` shows."""
    path = written(tmp_path / "a.nii", turned(0, 0, 10), turned(0, 0, 0), codes)
    with pytest.warns(
        disa.ImageWarning,
        match=rf"a\.nii: qform and sform are up to [\d.]+ voxels apart; ITK takes the {used}; if that is not",
    ):
        found = disa.read_image(path)
    np.testing.assert_allclose(affine_of(found), turned(0, 0, 10 if used == "sform" else 0), atol=1e-4)
    np.testing.assert_allclose(found.GetDirection(), sitk.ReadImage(str(path)).GetDirection(), atol=1e-6)


def test_forms_that_differ_by_less_than_a_tenth_of_a_voxel_are_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nii", turned(0, 0, 10), turned(0, 0, 10, offset=(3.05, -40.0, 12.5)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        disa.read_image(path)


@pytest.mark.parametrize("unit", ["meter", "micron"])
def test_units_other_than_mm_hold_for_spacing_and_origin(tmp_path: Path, unit: str) -> None:
    scale = {"meter": 1000.0, "micron": 0.001}[unit]
    image = nibabel.Nifti1Image(PIXELS, None)
    affine = turned(0, 0, 10)
    affine[:3] /= scale
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    found = disa.read_image(tmp_path / "a.nii")
    np.testing.assert_allclose(affine_of(found), turned(0, 0, 10), atol=1e-3)


RGB, RGBA = (np.dtype([(name, "u1") for name in names]) for names in ("RGB", "RGBA"))
KINDS = {
    "rgb": (np.zeros(SIZE, RGB), "vector of 8-bit unsigned integer"),
    "rgba": (np.zeros(SIZE, RGBA), "vector of 8-bit unsigned integer"),
    "complex": ((PIXELS + 1j).astype(np.complex64), "complex of 32-bit float"),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_whole_files_of_several_numbers_a_voxel_are_called_so(tmp_path: Path, name: str, ending: str) -> None:
    pixels, kind = KINDS[name]
    path = tmp_path / f"a{ending}"
    nibabel.save(nibabel.Nifti1Image(pixels, DIAGONAL), path)
    with pytest.raises(
        disa.ImageError, match=f"^{path}: expected one real number a voxel, got {kind}; give one channel$"
    ):
        load_image(path)
    image = disa.read_image(path)
    if name == "complex":
        with pytest.raises(disa.ImageError, match="expected real numbers, got complex"):
            resampled(image, image, sitk.Transform())
    else:
        assert resampled(image, image, sitk.Transform()).GetNumberOfComponentsPerPixel() == len(name)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".img"])
def test_a_file_that_ends_early_says_where(tmp_path: Path, ending: str, share: float) -> None:
    path = tmp_path / f"a{ending}"
    image = (nibabel.Nifti1Pair if ending == ".img" else nibabel.Nifti1Image)(PIXELS, DIAGONAL)
    nibabel.save(image, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    needed = PIXELS.nbytes + (0 if ending == ".img" else 352)
    with pytest.raises(disa.ImageError, match=rf"^{path}: ends after (\d+) of {needed} bytes; copy") as caught:
        disa.read_image(path)
    found = int(re.findall(r"after (\d+)", str(caught.value))[0])
    whole = len(path.read_bytes()) if ending != ".nii.gz" else share * needed  # noise: compressed evenly
    assert abs(found - whole) < 0.1 * needed


def test_a_damaged_byte_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nii.gz", DIAGONAL)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(disa.ImageError, match=rf"^{path}: is damaged after \d+ of \d+ bytes"):
        disa.read_image(path)


def test_half_of_a_pair_is_named(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(PIXELS, DIAGONAL), tmp_path / "a.img")
    (tmp_path / "a.hdr").unlink()
    with pytest.raises(disa.ImageError, match=r"a\.img: there is no a\.hdr beside it"):
        disa.read_image(tmp_path / "a.img")


def changed(path: Path, at: int, values: Any, kind: str) -> Path:
    content = bytearray(path.read_bytes())
    data = np.asarray(values, kind).tobytes()
    content[at : at + len(data)] = data
    path.write_bytes(content)
    return path


HEADERS = {
    "128-bit floats": (70, 1536, "<i2", "holds 128-bit floats, which ITK does not read"),
    "no known type": (70, 77, "<i2", "holds voxels of the unknown type 77"),
    "a negative size": (42, -3, "<i2", r"its NIfTI header is damaged: the size is \(-3, 22, 24\)"),
    "terabytes": (42, [30000] * 3, "<i2", r"has more than 2\^31 voxels"),
    "NaN for a place": (280, np.nan, "<f4", "its sform holds NaN or infinity"),
    "an origin far away": (292, 1e30, "<f4", "mm of the world's origin"),
    "Analyze 7.5": (344, 0, "<i4", "an Analyze 7.5 header, which does not say which side is left"),
    "no header": (0, 12, "<i4", "not readable as an image"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_cannot_be_meant_are_refused(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    at, values, kind, expected = HEADERS[name]
    path = changed(written(tmp_path / "a.nii", DIAGONAL), at, values, kind)
    with pytest.raises(disa.ImageError, match=expected) as caught:
        disa.read_image(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_version_2_header_is_called_so(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti2Image(PIXELS, DIAGONAL), tmp_path / "a.nii.gz")
    with pytest.raises(disa.ImageError, match="a NIfTI-2 file, which ITK does not read"):
        disa.read_image(tmp_path / "a.nii.gz")
