# SPDX-License-Identifier: Apache-2.0
"""What tells an input from another one is its content, wherever that lies, and not its time."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.io.digests import digest_of_input


def test_of_a_file_it_is_what_sha256sum_says(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(os.urandom(2**20 + 7))
    assert digest_of_input(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["a.mhd", "a.nhdr", "a.hdr", "a.img", "series"])
def test_voxels_count_wherever_they_lie_and_the_time_does_not(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    image = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    if name == "series":
        path.mkdir()
        for index in range(3):
            sitk.WriteImage(image[:, :, index], str(path / f"{index}.dcm"))
    else:
        sitk.WriteImage(image, str(path))
    before = digest_of_input(path)
    files = list(path.iterdir()) if path.is_dir() else list(tmp_path.iterdir())
    assert len(files) > 1
    for file in files:
        os.utime(file, (1e9, 1e9))
        content = file.read_bytes()
        assert digest_of_input(path) == before
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert digest_of_input(path) != before
        file.write_bytes(content)
    assert digest_of_input(path) == before


def test_names_of_files_in_a_header_are_followed(tmp_path: Path) -> None:
    (tmp_path / "a.mhd").write_text("NDims = 3\nElementDataFile = LIST\none.raw\ntwo.raw\n")
    (tmp_path / "b.mhd").write_text("NDims = 3\nElementDataFile = slice%03d.raw 1 2 1\n")
    for name in ("one.raw", "slice001.raw", "slice002.raw"):
        (tmp_path / name).write_bytes(b"1")
    for header, data in (("a.mhd", "one.raw"), ("b.mhd", "slice002.raw")):
        before = digest_of_input(tmp_path / header)
        (tmp_path / data).write_bytes(b"2")
        assert digest_of_input(tmp_path / header) != before


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(disa.ImageError, match=r"none\.nii: no such file"):
        digest_of_input(tmp_path / "none.nii")
