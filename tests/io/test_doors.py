# SPDX-License-Identifier: Apache-2.0
"""Hostile places, masks and paths get one line at every door, at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.features.preparation import smooth_for
from disa.geometry.grid import Grid
from disa.io.gate import check_place
from disa.io.images import image_from_array, load_image, load_labels, load_mask
from disa.io.points import read_points
from disa.io.transform_files import read_transform
from disa.io.writing import write_image
from helpers.images import structured_image

NAN, INF = float("nan"), float("inf")
PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "NaN as spacing": ({"spacing": (NAN, 2.0, 2.0)}, "a spacing above 1e-05 mm along every axis, got [nan"),
    "infinite spacing": ({"spacing": (INF, 2.0, 2.0)}, "a spacing above"),
    "no spacing": ({"spacing": (0.0, 2.0, 2.0)}, "a spacing above"),
    "negative spacing": ({"spacing": (-2.0, 2.0, 2.0)}, "a spacing above"),
    "NaN as origin": ({"origin": (NAN, 0.0, 0.0)}, "within 1e+06 mm of the world's origin, got one nan mm away"),
    "origin of 1e300": ({"origin": (1e300, 0.0, 0.0)}, "within 1e+06 mm of the world's origin, got one 1e+300 mm away"),
    "voxels of 100 m": ({"spacing": (1e5, 2.0, 2.0)}, "within 1e+06 mm of the world's origin"),
    "NaN as axes": ({"direction": (NAN, 0, 0, 0, 1, 0, 0, 0, 1)}, "orthonormal direction cosines"),
    "singular axes": ({"direction": (1, 0, 0, 1, 0, 0, 0, 0, 1)}, "orthonormal direction cosines"),
    "axes of length 2": ({"direction": (2, 0, 0, 0, 2, 0, 0, 0, 2)}, "orthonormal direction cosines"),
    "sheared axes": ({"direction": (1, 0.02, 0, 0, 1, 0, 0, 0, 1)}, "orthonormal direction cosines"),
}


def grid_of(place: dict[str, Any]) -> Grid:
    frame = {"origin": (0.0,) * 3, "spacing": (2.0,) * 3, "direction": np.eye(3).ravel(), **place}
    return Grid.of_frame((30, 30, 30), frame["origin"], frame["spacing"], frame["direction"])


def placed(place: dict[str, Any]) -> sitk.Image | None:
    """An image there; None where SimpleITK refuses that by itself."""
    image = structured_image((30, 30, 30))
    try:
        for name, value in place.items():
            getattr(image, f"Set{name.capitalize()}")(value)
    except RuntimeError:
        return None
    return image


def in_simpleitk(image: sitk.Image) -> None:
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()
    method.SetInitialTransform(sitk.Euler3DTransform())
    method.MetricEvaluate(structured_image((30, 30, 30)), image)


def as_simpleitk_mask(image: sitk.Image) -> None:
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()
    method.SetMetricFixedMask(sitk.Cast(image > 0, sitk.sitkUInt8))
    method.SetInitialTransform(sitk.Euler3DTransform())
    method.MetricEvaluate(structured_image((30, 30, 30)), structured_image((30, 30, 30)))


DOORS: dict[str, Callable[[sitk.Image], object]] = {
    "image": load_image,
    "mask": lambda image: load_mask(image, "fixed_mask"),
    "labels": lambda image: load_labels(sitk.Cast(image, sitk.sitkInt16)),
    "features": disa.extract_features,
    "SimpleITK's class": in_simpleitk,
    "its mask": as_simpleitk_mask,
}


@pytest.mark.parametrize("name", PLACES)
def test_places_that_cannot_be_meant_are_refused_at_every_door(name: str) -> None:
    place, expected = PLACES[name]
    with pytest.raises(disa.ImageError) as caught:
        check_place(grid_of(place), "image")
    assert expected in str(caught.value)
    with pytest.raises(disa.ImageError) as caught:  # ITK's metric comes here
        image_from_array(sitk.GetArrayFromImage(structured_image((30, 30, 30))), grid_of(place), "moving image")
    assert expected in str(caught.value)
    image = placed(place)
    for door in DOORS.values() if image is not None else ():
        with pytest.raises(disa.ImageError) as caught:
            door(image)
        assert expected in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("shear", [1e-4, 1e-2])
def test_a_shear_counts_by_a_tenth_of_a_voxel(shear: float) -> None:
    """Of 400 voxels along that axis: 0.02 voxels at either end, and 2."""
    grid = Grid.of_frame((400, 4, 4), (0.0,) * 3, (1.0,) * 3, (1, 0, 0, shear, 1, 0, 0, 0, 1))
    if shear > 1e-3:
        with pytest.raises(disa.ImageError, match="orthonormal"):
            check_place(grid, "image")
    else:
        check_place(grid, "image")


def test_a_header_in_metres_is_refused_at_once() -> None:
    image = structured_image((60, 60, 60), spacing=0.002)
    for call in (disa.extract_features, lambda image: disa.register(image, image), in_simpleitk):
        start = time.perf_counter()
        with pytest.raises(disa.ImageError, match=r"0\.12 x 0\.12 x 0\.12 mm are less than 4 voxels of"):
            call(image)
        assert time.perf_counter() - start < 5


def test_fine_voxels_are_joined_without_a_shift() -> None:
    """Smoothing for voxels 1000 times as large is quick, and keeps means and places."""
    x = np.arange(6000) * 0.002
    wave = np.sin(x / 1.5)
    image = sitk.GetImageFromArray(np.broadcast_to(wave, (2, 3, 6000)).astype(np.float32))
    image.SetSpacing((0.002, 0.5, 0.001))
    start = time.perf_counter()
    smooth = smooth_for(image, 2.0)
    assert time.perf_counter() - start < 5
    places = [smooth.TransformIndexToPhysicalPoint((index, 0, 0))[0] for index in range(smooth.GetSize()[0])]
    sigma = 2.0 / np.sqrt(8 * np.log(2))
    expected = np.exp(-((sigma / 1.5) ** 2) / 2) * np.sin(np.asarray(places) / 1.5)
    inner = slice(len(places) // 4, -len(places) // 4)
    np.testing.assert_allclose(sitk.GetArrayFromImage(smooth)[0, 1, inner], expected[inner], atol=0.01)


def test_nan_in_a_mask_counts_as_outside_and_is_said() -> None:
    inside = sitk.GetArrayFromImage(structured_image((9, 9, 9))) > 0
    mask = sitk.GetImageFromArray(np.where(inside, np.float32(0.3), np.float32(NAN)))
    with pytest.warns(
        disa.ImageWarning, match=f"^fixed_mask: {(~inside).sum()} of 729 voxels are NaN, and count as out"
    ):
        found = load_mask(mask, "fixed_mask")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), inside)


def test_nan_in_a_mask_of_simpleitks_class_is_refused() -> None:
    """SimpleITK makes whole numbers of it, of which nobody knows."""
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()
    method.SetInitialTransform(sitk.Euler3DTransform())
    image = structured_image((30, 30, 30))
    mask = sitk.GetArrayFromImage(image)
    mask[0, 0, 0] = NAN
    method.SetMetricFixedMask(Grid.of(image).image_of(mask))
    with pytest.raises(disa.ImageError, match="found NaN, which is neither inside nor outside"):
        method.MetricEvaluate(image, image)


MASKS = {
    "vector": (sitk.Image([9, 9, 9], sitk.sitkVectorUInt8), "one real number a voxel"),
    "2-D": (sitk.Image([9, 9], sitk.sitkUInt8) + 1, "a 3-D image, got a 2-D one"),
    "4-D": (sitk.Image([9, 9, 9, 2], sitk.sitkUInt8), "a 3-D image, got a 4-D one"),
    "without voxels": (sitk.Image(), "3-D"),
    "0": (sitk.Image([9, 9, 9], sitk.sitkUInt8), "every voxel is 0"),
    "NaN": (sitk.Image([9, 9, 9], sitk.sitkFloat32) * NAN, "every voxel is 0 or NaN"),
}


@pytest.mark.parametrize("name", MASKS)
def test_masks_that_are_none_are_refused_in_one_line(name: str) -> None:
    mask, expected = MASKS[name]
    with pytest.raises(disa.ImageError, match=f"^fixed_mask: .*{expected}") as caught:
        load_mask(mask, "fixed_mask")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["label map", "vectors of one number", "ITK's vectors of one number"])
def test_other_pixel_types_of_one_number_are_taken_as_images_masks_and_labels(kind: str) -> None:
    labels = sitk.Cast(structured_image((9, 9, 9)) > 0, sitk.sitkUInt8) * 3
    values = sitk.GetArrayFromImage(labels)
    image: Any = sitk.Cast(labels, sitk.sitkLabelUInt8) if kind == "label map" else sitk.Compose(labels)
    if kind.startswith("ITK"):
        itk = pytest.importorskip("itk")
        image = itk.image_from_array(values[..., None], is_vector=True)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(load_image(image)), values)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(load_mask(image, "mask")), values > 0)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(load_labels(image)), values)


def test_soft_maps_are_no_labels() -> None:
    whole = structured_image((9, 9, 9)) > 0
    found = load_labels(sitk.Cast(whole, sitk.sitkFloat32) * 5)
    assert found.GetPixelID() == sitk.sitkInt64
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), 5 * sitk.GetArrayFromImage(whole))
    count = int(sitk.GetArrayFromImage(whole).sum())
    with pytest.raises(disa.ImageError, match=f"label map of whole numbers, but {count} of 729 voxels are fractions"):
        load_labels(sitk.Cast(whole, sitk.sitkFloat32) * 0.7)


READ = "import os, sys, disa; disa.read_image(os.fsdecode(bytes.fromhex(sys.argv[1])))"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"caf\xe9.nii", b"caf\\xe9.nii: the path is not UTF-8; rename it"),
        (300 * b"a" + b".nii", b"File name too long"),
        (b"[bold]x[/red].nii", b"[bold]x[/red].nii: no such file"),
        (b"two\nlines.nii", b"two\\nlines.nii: no such file"),
        (b"pipe.nii", b"pipe.nii: is a pipe"),
        (b"loop.nii", b"loop.nii: cannot be read: Too many levels of symbolic links"),
        (b"zero.nii", b"zero.nii: is a device"),
    ],
)
def test_paths_of_no_image_get_one_line(tmp_path: Path, name: bytes, expected: bytes) -> None:
    folder = os.fsencode(tmp_path)
    os.mkfifo(tmp_path / "pipe.nii")
    (tmp_path / "loop.nii").symlink_to("loop.nii")
    (tmp_path / "zero.nii").symlink_to("/dev/zero")
    if name.startswith(b"caf"):
        Path(os.fsdecode(folder + b"/" + name)).write_bytes(b"")
    command = [sys.executable, "-c", READ, (folder + b"/" + name).hex()]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False)
    last = ran.stderr.rstrip().splitlines()[-1]
    assert ran.returncode == 1 and last.startswith(b"disa.errors.ImageError: ") and expected in last


def test_transforms_and_results_of_such_names_get_one_line(tmp_path: Path) -> None:
    code = """
import os, sys, SimpleITK as sitk, disa
from pathlib import Path
from disa.io.transform_files import read_transform
from disa.io.writing import write_image, write_transform

path = Path(os.fsdecode(os.fsencode(sys.argv[1]) + b"/caf\\xe9.tfm"))
path.write_text("")
for attempt in (
    lambda: read_transform(path),
    lambda: write_image(sitk.Image(9, 9, 9, sitk.sitkUInt8), path.with_suffix(".nii.gz")),
    lambda: write_image(sitk.Image(9, 9, 9, sitk.sitkUInt8), path.with_suffix(".mhd")),
    lambda: write_transform(sitk.Euler3DTransform(), path),
):
    try:
        attempt()
    except disa.DISAError as error:
        print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert [line.rsplit(": ", 1)[1] for line in ran.stdout.splitlines()] == [
        *["the path is not UTF-8; rename it"] * 4,
    ]


def test_paths_that_this_process_takes_for_another_encoding_get_one_line(tmp_path: Path) -> None:
    """SimpleITK ended the process under ASCII, and looked for another name under Latin-1."""
    image = tmp_path / "sch\u00e4del.nii"
    sitk.WriteImage(structured_image((9, 9, 9)), str(image))
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", READ, os.fsencode(image).hex()]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment)
    last = ran.stderr.decode().rstrip().splitlines()[-1]
    assert ran.returncode == 1 and last.endswith("takes paths for ascii; set the environment variable PYTHONUTF8=1")
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


def test_a_pipe_in_place_of_a_transform_or_points_is_not_waited_for(tmp_path: Path) -> None:
    for name, read in (("pipe.tfm", read_transform), ("pipe.csv", read_points)):
        os.mkfifo(tmp_path / name)
        with pytest.raises(disa.DISAError, match=f"{name}: is (a pipe|no file)"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.mhd", "a.nhdr", "a.hdr", "a.img"])
def test_formats_of_two_files_are_written_as_a_pair(tmp_path: Path, name: str) -> None:
    one, other = structured_image((9, 9, 9), seed=1), structured_image((9, 9, 9), seed=2)
    path = tmp_path / "first" / name
    for image in (other, one):
        write_image(image, path)
    names = sorted(file.name for file in path.parent.iterdir())
    assert len(names) == 2 and all(part.startswith("a.") for part in names)
    path.parent.rename(tmp_path / "moved")
    found = disa.read_image(tmp_path / "moved" / name)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(one))


def test_a_pair_that_cannot_be_written_whole_is_kept_as_it_was(tmp_path: Path) -> None:
    one, other = structured_image((9, 9, 9), seed=1), structured_image((9, 9, 9), seed=2)
    write_image(one, tmp_path / "a.mhd")
    (tmp_path / "a.mhd").unlink()
    (tmp_path / "a.mhd").mkdir()
    before = (tmp_path / "a.zraw").read_bytes()
    with pytest.raises(disa.OutputError, match=r"a\.mhd: cannot be written: .*; what was there before is kept"):
        write_image(other, tmp_path / "a.mhd")
    assert (tmp_path / "a.zraw").read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mhd", "a.zraw"]
