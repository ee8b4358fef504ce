# SPDX-License-Identifier: Apache-2.0
"""DICOM: every slice lies where its header has it, or the series is refused in one line."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

import disa
from disa.cli.app import app
from helpers import dicom_files
from helpers.dicom_files import IMPLICIT, write_enhanced, write_series
from helpers.images import rotation

SIZE = (7, 9, 8)
SPACING = (1.5, 2.0, 3.0)
PIXELS = np.random.default_rng(0).integers(-1000, 1000, SIZE)


def stacked(step: Sequence[float] = (0.0, 0.0, 3.0), count: int = SIZE[0]) -> np.ndarray:
    return np.array([-20.0, 30.0, 5.0]) + np.arange(count)[:, None] * np.asarray(step)


def check_places(image: sitk.Image, positions: np.ndarray, axes: np.ndarray) -> None:
    """Each slice of `PIXELS` lies at its position, by the image's own corner and the last voxel of it."""
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), PIXELS)
    for number, position in enumerate(positions):
        last = position + axes[0] * SPACING[0] * (SIZE[2] - 1) + axes[1] * SPACING[1] * (SIZE[1] - 1)
        corners = [
            image.TransformIndexToPhysicalPoint(at) for at in ((0, 0, number), (SIZE[2] - 1, SIZE[1] - 1, number))
        ]
        np.testing.assert_allclose(corners, [position, last], atol=1e-6)


@pytest.mark.parametrize("degrees", [(0.0, 0.0, 0.0), (20.0, -35.0, 50.0)])
@pytest.mark.parametrize("syntax", [dicom_files.EXPLICIT, IMPLICIT])
def test_slices_in_any_order_lie_where_their_headers_have_them(
    tmp_path: Path, degrees: tuple[float, ...], syntax: str
) -> None:
    turn = rotation(*degrees)
    positions = stacked(turn @ (0.0, 0.0, SPACING[2]))
    order = np.random.default_rng(1).permutation(SIZE[0])
    orientation = [*turn[:, 0], *turn[:, 1]]
    write_series(tmp_path, PIXELS[order], positions[order], SPACING, orientation=orientation, syntax=syntax)
    check_places(disa.read_image(tmp_path), positions, turn.T)


@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize("syntax", [dicom_files.EXPLICIT, IMPLICIT])
def test_frames_in_any_order_lie_where_their_groups_have_them(tmp_path: Path, syntax: str, endless: bool) -> None:
    order = np.random.default_rng(1).permutation(SIZE[0])
    path = tmp_path / "enhanced.dcm"
    write_enhanced(path, PIXELS[order], stacked()[order], SPACING, syntax=syntax, endless=endless)
    check_places(disa.read_image(path), stacked(), np.eye(3))
    check_places(disa.read_image(tmp_path), stacked(), np.eye(3))  # the folder with it


def waves(points: np.ndarray) -> np.ndarray:
    return 500 * np.sin(points / [11.0, 13.0, 17.0]).sum(axis=-1)


@pytest.mark.parametrize("enhanced", [False, True])
def test_a_tilted_gantry_is_resampled_where_it_is_asked_for(tmp_path: Path, enhanced: bool) -> None:
    size, spacing = (20, 40, 36), (1.0, 1.0, 3.0)
    positions = stacked((0.0, 1.0, 3.0), size[0])
    z, y, x = np.indices(size)
    points = positions[z] + np.stack([x, y, 0 * z], axis=-1)
    pixels = np.round(waves(points))
    if enhanced:
        write_enhanced(tmp_path / "a.dcm", pixels, positions, spacing)
    else:
        write_series(tmp_path, pixels, positions, spacing)
    with pytest.raises(disa.ImageError, match=r"tilted gantry: axes 18\.4 degrees from right angles; .*--resample-sh"):
        disa.read_image(tmp_path)
    with pytest.warns(disa.ImageWarning, match="tilted gantry.*resampled"):
        image = disa.read_image(disa.ImageFile(tmp_path, resample_sheared=True))
    assert image.GetPixelID() == sitk.sitkInt16
    found = sitk.GetArrayFromImage(image)
    places = np.array(
        [image.TransformIndexToPhysicalPoint((int(x), int(y), int(z))) for z, y, x in np.ndindex(found.shape)]
    )
    first = positions[np.round((places[:, 2] - 5.0) / 3.0).astype(int)]
    inside = (np.abs(places - first - [17.5, 19.5, 0.0]) <= [17.5, 19.5, 1e-6]).all(axis=1)
    assert inside.sum() == pixels.size  # its slices are the old ones, shifted
    off = found.ravel()[inside] - waves(places)[inside]
    assert np.abs(off).max() < 3.0  # of 1500, by the curve between two voxels and rounding
    assert (found.ravel()[~inside] == pixels.min()).mean() > 0.9


def shifted(at: int, by: Any) -> np.ndarray:
    positions = stacked()
    positions[at:] += by
    return positions


TURNED = [*rotation(0, 0, 3)[:, 0], *rotation(0, 0, 3)[:, 1]]
TWICE = np.repeat(stacked(count=4), 2, axis=0)[:7]

UNFIT = {
    "all at one place": (stacked((0, 0, 0)), {}, "all 7 slices lie at one position"),
    "two echoes": (
        TWICE,
        {"extra": lambda n: {0x00180086: str(1 + n % 2)}},
        "7 slices at 4 positions, of echo number 1, 2;",
    ),
    "a gap": (shifted(4, (0, 0, 3)), {}, "slices are missing: 6 mm lie between 0003.dcm and 0004.dcm, and 3 mm"),
    "uneven": (shifted(4, (0, 0, 1)), {}, "unevenly spaced, 3 to 4 mm"),
    "a slice aside": (shifted(6, (2, 0, 0)) - shifted(5, (2, 0, 0)) + stacked(), {}, "do not lie along one line"),
    "a localiser": (
        stacked(),
        {"extra": lambda n: {0x00200037: "0\\1\\0\\0\\0\\-1"} if n == 2 else {}},
        "1 of 7 slices have another orientation or pixel spacing, 0002.dcm first",
    ),
    "turned a little": (
        stacked(),
        {"extra": lambda n: {0x00200037: dicom_files.numbers(TURNED)} if n == 2 else {}},
        "1 of 7 slices have another orientation",
    ),
    "two spacings": (stacked(), {"extra": lambda n: {0x00280030: "2\\1.7"} if n == 0 else {}}, "1 of 7 slices have"),
    "no position": (stacked(), {"extra": lambda n: {0x00200032: None} if n == 0 else {}}, "no position of 3 numbers"),
    "a position that is none": (stacked(), {"extra": lambda n: {0x00200032: "0\\a\\0"}}, "a number is none"),
    "NaN as position": (stacked(), {"extra": lambda n: {0x00200032: "0\\nan\\0"}}, "no position of 3 numbers"),
    "axes at 45 degrees": (stacked(), {"extra": lambda n: {0x00200037: "1\\0\\0\\.7\\.7\\0"}}, "two unit axes"),
    "no spacing": (stacked(), {"extra": lambda n: {0x00280030: "0\\0"}}, "a pixel spacing above 0"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_no_volume_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    positions, how, expected = UNFIT[name]
    write_series(tmp_path, PIXELS, positions, SPACING, **how)
    with pytest.raises(disa.ImageError, match=f"^{tmp_path}.*{re.escape(expected)}") as caught:
        disa.read_image(tmp_path)
    assert "\n" not in str(caught.value)


FRAMES = {
    "two time points": (TWICE, None, "7 slices at 4 positions"),
    "a gap": (shifted(4, (0, 0, 3)), None, "slices are missing: 6 mm lie between frame 4 and frame 5"),
    "an orientation of its own": (
        stacked(), [dicom_files.AXIAL] * 6 + [TURNED], "1 of 7 slices have another orientation"
    ),
    "a frame without a place": (stacked()[:6], None, "7 frames in one file, and a place for 6 of them"),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_frames_that_are_no_volume_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    positions, orientations, expected = FRAMES[name]
    path = tmp_path / "a.dcm"
    write_enhanced(path, PIXELS, positions, SPACING, orientations=orientations)
    for place in (path, tmp_path):
        with pytest.raises(disa.ImageError, match=re.escape(expected)) as caught:
            disa.read_image(place)
        assert "\n" not in str(caught.value)


def test_sizes_that_differ_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path, PIXELS, stacked(), SPACING)
    write_series(tmp_path / "other", PIXELS[:1, :5], stacked()[:1] - [0, 0, 3], SPACING)
    shutil.copy(tmp_path / "other" / "0000.dcm", tmp_path / "other.dcm")
    with pytest.raises(disa.ImageError, match=r"slices of several sizes \(7 of 8 x 9, 1 of 8 x 5\)"):
        disa.read_image(tmp_path)


def test_a_copy_of_a_slice_is_named(tmp_path: Path) -> None:
    paths = write_series(tmp_path, PIXELS, stacked(), SPACING)
    shutil.copy(paths[2], tmp_path / "copy.dcm")
    with pytest.raises(disa.ImageError, match=r"0002\.dcm and copy\.dcm are the same slice; remove one"):
        disa.read_image(tmp_path)


def test_one_of_several_series_is_chosen_by_number_or_uid(tmp_path: Path) -> None:
    first = write_series(tmp_path, PIXELS, stacked(), SPACING)
    for path in first:
        path.rename(path.with_suffix(".first"))
    other = {0x0020000E: "1.2.3", 0x00200011: "12", 0x0008103E: "T1 axial", 0x00080060: "MR"}
    write_series(tmp_path, PIXELS[:4] + 1, stacked()[:4], SPACING, extra=lambda number: other)
    listed = f"holds 2 DICOM series; .* of 3: CT, 7 images, {dicom_files.SERIES}; 12: MR 'T1 axial', 4 images, 1.2.3$"
    with pytest.raises(disa.ImageError, match=listed):
        disa.read_image(tmp_path)
    with pytest.raises(disa.ImageError, match="holds no DICOM series 4; choose one"):
        disa.read_image(disa.ImageFile(tmp_path, "4"))
    for name, expected in (
        ("3", PIXELS),
        (dicom_files.SERIES, PIXELS),
        ("12", PIXELS[:4] + 1),
        ("1.2.3", PIXELS[:4] + 1),
    ):
        np.testing.assert_array_equal(sitk.GetArrayFromImage(disa.read_image(disa.ImageFile(tmp_path, name))), expected)
    with pytest.raises(disa.ImageError, match="a series is chosen in a folder"):
        disa.read_image(disa.ImageFile(first[0].with_suffix(".first"), "3"))


def test_the_command_chooses_a_series_and_says_what_it_resampled(tmp_path: Path) -> None:
    write_series(tmp_path / "study", PIXELS, stacked((0.0, 1.0, 3.0)), SPACING)
    other = {0x0020000E: "1.2.3", 0x00200011: "12"}
    for path in write_series(tmp_path / "other", PIXELS, stacked(), SPACING, extra=lambda number: other):
        path.rename(tmp_path / "study" / f"other-{path.name}")
    sitk.WriteTransform(sitk.Euler3DTransform(), str(tmp_path / "t.tfm"))
    study, output = str(tmp_path / "study"), str(tmp_path / "moved.mha")
    command = ["apply", str(tmp_path / "t.tfm"), study, "--reference", study, "-o", output, "--reference-series", "12"]
    ran = CliRunner().invoke(app, [*command, "--series", "12"])
    assert ran.exit_code == 0 and ran.output == ""
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(output)), PIXELS)
    ran = CliRunner().invoke(app, [*command, "--series", "3"])
    assert ran.exit_code == 1 and ran.stderr.startswith(f"disa: {study}: tilted gantry: axes 18.4 degrees")
    ran = CliRunner().invoke(app, [*command, "--series", "3", "--resample-sheared"])
    assert ran.exit_code == 0
    said = f"disa: {study}: tilted gantry: axes 18.4 degrees from right angles; resampled onto some that are; measure"
    assert ran.stderr.startswith(said) and len(ran.stderr.splitlines()) == 1


def test_slices_with_a_rescale_of_their_own_keep_their_values(tmp_path: Path) -> None:
    """As PET has them. ITK casts them all to the type that the first one needs."""
    slopes = [1.0, 0.5, 0.25, 1.5, 2.5, 0.1, 0.7]
    extra = [{0x00281052: "0", 0x00281053: str(slope)} for slope in slopes]
    write_series(tmp_path, PIXELS, stacked(), SPACING, extra=lambda number: extra[number])
    found = sitk.GetArrayFromImage(disa.read_image(tmp_path))
    np.testing.assert_allclose(found, PIXELS * np.reshape(slopes, (-1, 1, 1)), rtol=1e-6)


@pytest.mark.parametrize("compressor", ["JPEG2000", "RLE", "JPEG"])
def test_compressed_slices_are_read(tmp_path: Path, compressor: str) -> None:
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.UseCompressionOn()
    writer.SetCompressor(compressor)
    for number, position in enumerate(stacked()):
        image = sitk.GetImageFromArray(PIXELS[number][None].astype(np.int16))
        image.SetSpacing(SPACING)
        image.SetOrigin(position.tolist())
        for tag, value in (("0020|000e", "1.2.3"), ("0008|0018", f"1.2.3.{number + 1}"), ("0008|0060", "CT")):
            image.SetMetaData(tag, value)
        writer.SetFileName(str(tmp_path / f"{number}.dcm"))
        writer.Execute(image)
    check_places(disa.read_image(tmp_path), stacked(), np.eye(3))


JPEG_LS = [
    "/9j/9wALEAAEAAUBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAFjpjzFTHmPBSCcAIKQUgpBGAIJQSglB8AQhCAD/2Q==",
    "/9j/9wALEAAEAAUBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAFjJjzFmPMeCkE4AQUgpBSCMAQSglBKD4AhCEP/Z",
    "/9j/9wALEAAEAAUBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAFhpjzFmPMeCkE4AQUgpBSCMAQSglBKD4AhCEP/Z",
]
"""Three slices by pyjpegls 1.5, `jpeg_ls.encode_array(pixels.astype("<i2").view("<u2"))`; ITK writes none."""


def test_slices_packed_as_jpeg_ls_are_read_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    z, y, x = np.indices((3, 4, 5))
    pixels, frames = 100 * x + 10 * y + z**2 - 200, [base64.b64decode(text) for text in JPEG_LS]

    def write(frames: list[bytes]) -> None:
        packed = [{dicom_files.VOXELS: [frame]} for frame in frames]
        lossless = "1.2.840.10008.1.2.4.80"
        write_series(tmp_path, pixels, stacked(count=3), SPACING, syntax=lossless, extra=lambda number: packed[number])

    write(frames)
    image = disa.read_image(tmp_path)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), pixels)
    np.testing.assert_allclose([image.GetSpacing(), image.GetOrigin()], [SPACING, (-20.0, 30.0, 5.0)])
    write([*frames[:2], frames[2][:40]])
    with pytest.raises(disa.ImageError, match=r"0002\.dcm: ends early.* ITK does not decode its voxels \(JPEG-LS\)"):
        disa.read_image(tmp_path)


def test_voxels_that_itk_does_not_decode_are_refused_by_their_name(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    for syntax, called in (("1.2.840.10008.1.2.4.201", "HTJ2K"), ("1.2.840.10008.1.2.4.110", "JPEG XL")):
        write_enhanced(path, PIXELS, stacked(), SPACING, syntax=syntax)
        with pytest.raises(disa.ImageError, match=f"its voxels are of the transfer syntax {called}, which"):
            disa.read_image(path)


def test_what_is_no_image_beside_the_slices_is_left_out(tmp_path: Path) -> None:
    write_series(tmp_path, PIXELS, stacked(), SPACING)
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "notes.txt").write_text("none")
    report = {0x00080016: "1.2.840.10008.5.1.4.1.1.88.11", 0x00080018: "1.2.9", 0x0020000E: "1.2.9"}
    dicom_files.write(tmp_path / "report.dcm", report)
    check_places(disa.read_image(tmp_path), stacked(), np.eye(3))
    with pytest.raises(disa.ImageError, match="a DICOM file without an image"):
        disa.read_image(tmp_path / "report.dcm")


def test_damaged_files_are_refused_in_one_line(tmp_path: Path) -> None:
    """Whatever byte of the header is changed, and wherever the file ends."""
    path = tmp_path / "a.dcm"
    write_enhanced(path, PIXELS, stacked(), SPACING, endless=True)
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for number in range(300):
        content = bytearray(whole)
        for place in rng.integers(128, len(whole) - PIXELS.size * 2, 3):
            content[place] = rng.integers(256)
        path.write_bytes(content if number % 2 else content[: rng.integers(len(content))])
        try:
            disa.read_image(path)
        except disa.ImageError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 100
