# SPDX-License-Identifier: Apache-2.0
"""Files that take the place of others whole, and pipes and devices, which stay what they are."""

from __future__ import annotations

import locale
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.io.writing import replacing, write_image, write_text, write_transform


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def pipe(tmp_path: Path) -> tuple[Path, int]:
    """A pipe and an end to read from."""
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    return path, os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def test_a_pipe_is_written_into(pipe: tuple[Path, int]) -> None:
    path, end = pipe
    write_text(path, "x,y,z\n")
    assert os.read(end, 100) == b"x,y,z\n" and stat.S_ISFIFO(path.stat().st_mode)
    os.close(end)
    with pytest.raises(disa.OutputError, match=r"pipe\.csv: cannot be written: a pipe that nobody reads"):
        write_text(path, "x,y,z\n")
    assert names_in(path.parent) == ["pipe.csv"]


def test_a_device_is_written_into(tmp_path: Path) -> None:
    """Through a link of our own, as nothing of /dev is ours to lose."""
    for name in ("null", "full"):
        (tmp_path / name).symlink_to(f"/dev/{name}")
    write_text(tmp_path / "null", "x")
    with pytest.raises(disa.OutputError, match="No space left"):
        write_text(tmp_path / "full", "x")
    assert all(path.is_symlink() for path in tmp_path.iterdir()) and Path("/dev/null").is_char_device()


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_the_standard_output_is_written_into(tmp_path: Path, way: str) -> None:
    command = (
        "from pathlib import Path; from disa.io.writing import write_text; write_text(Path('/dev/stdout'), 'text')"
    )
    with (tmp_path / "out.txt").open("w+b") as file:
        file.write(b"before ")
        file.flush()
        place = file if way == "file" else subprocess.PIPE
        ran = subprocess.run([sys.executable, "-c", command], stdout=place, check=True)
        os.write(file.fileno(), b" after")
        assert os.fstat(file.fileno()).st_ino == (tmp_path / "out.txt").stat().st_ino
    expected = b"before text after" if way == "file" else b"before  after"
    assert (tmp_path / "out.txt").read_bytes() == expected and (ran.stdout or b"text") == b"text"


def test_a_link_stays_and_leads_to_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to(tmp_path / "file.txt")
    write_text(tmp_path / "link.txt", "text")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "file.txt").read_text() == "text"


@pytest.mark.parametrize("name", ["a.mhd", "a.nhdr", "a.hdr", "a.img", "a.nii.gz", "a.nrrd", "a.mha", "[a].nii"])
def test_an_image_is_written_with_all_its_files_and_read_again(tmp_path: Path, name: str) -> None:
    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32))
    write_image(image, tmp_path / name)
    written = names_in(tmp_path)
    assert len(written) == (2 if name in ("a.mhd", "a.nhdr", "a.hdr", "a.img") else 1)
    assert not [other for other in written if other.startswith(".")]
    found = sitk.ReadImage(str(tmp_path / name))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(image))


@pytest.mark.parametrize("name", ["a.nii.gz.nii.gz", "a.nii.nii", "a.tar.gz", "a.gz", "a", "a.nrrd.gz", "a.nii.zip"])
def test_an_ending_that_cannot_be_written_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(disa.OutputError, match="ITK cannot write it"):
        write_image(sitk.Image(5, 6, 7, sitk.sitkFloat32), tmp_path / name)
    assert names_in(tmp_path) == []


def test_what_is_no_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.tfm").mkdir()
    with pytest.raises(disa.OutputError, match=r"folder\.tfm: cannot be written: Is a directory"):
        write_transform(sitk.Euler3DTransform(), tmp_path / "folder.tfm")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(disa.OutputError, match="loop: cannot be written"):
        write_text(tmp_path / "loop", "x")
    assert names_in(tmp_path) == ["folder.tfm", "loop"]


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    command = (
        "import os, sys; from pathlib import Path; from disa.io.writing import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary: temporary.write_text('half'); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", command, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(names_in(tmp_path)) == 1 and not path.exists()
    with replacing(path) as temporary:
        temporary.write_text("whole")
        write_text(tmp_path / "b.txt", "meanwhile")  # does not take the other's temporary folder for a leftover
    assert names_in(tmp_path) == ["a.txt", "b.txt"] and path.read_text() == "whole"


def oblique() -> sitk.Image:
    image = sitk.GetImageFromArray(np.arange(1000, dtype=np.uint8).reshape(10, 10, 10))
    image.SetOrigin((500.3, -600.7, 7.0))
    image.SetSpacing((0.37, 2.0, 3.0))
    image.SetDirection(sitk.Euler3DTransform((0, 0, 0), 0.3, -0.2, 0.5).GetMatrix())
    return image


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.vtk"])
def test_a_format_that_loses_the_place_is_refused(tmp_path: Path, name: str) -> None:
    """ITK writes the first slice of a volume into a .png, no origin into a .tif, and no direction into a .vtk."""
    before = locale.setlocale(locale.LC_ALL)
    with pytest.raises(disa.OutputError, match=f"{name}: its format does not hold where all voxels lie; give an"):
        write_image(oblique(), tmp_path / name)
    assert names_in(tmp_path) == [] and locale.setlocale(locale.LC_ALL) == before


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha", "a.mhd", "a.hdr"])
def test_what_is_written_lies_where_it_did(tmp_path: Path, name: str) -> None:
    image = oblique()
    write_image(image, tmp_path / name)
    found = sitk.ReadImage(str(tmp_path / name))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(image))
    for corner in ((0, 0, 0), (9, 9, 9)):
        places = [one.TransformIndexToPhysicalPoint(corner) for one in (found, image)]
        np.testing.assert_allclose(*places, atol=1e-3)
