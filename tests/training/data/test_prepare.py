# SPDX-License-Identifier: Apache-2.0
"""From image files to the cache."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.errors import ConfigError, ImageError, TrainingError  # noqa: E402
from disa.io.images import load_image  # noqa: E402
from disa.training.config import TrainingConfig  # noqa: E402
from disa.training.data.catalog import find_sources  # noqa: E402
from disa.training.data.prepare import crop_air, prepare, read_volume  # noqa: E402
from disa.training.data.volumes import VolumeInfo, cache_fingerprint, load_cache, save_cache  # noqa: E402
from helpers import small_training as small  # noqa: E402

CPU = torch.device("cpu")


def prepared(images: Path, cache: Path) -> list[str]:
    """Names of the volumes that were read."""
    read: list[str] = []
    prepare(find_sources(TrainingConfig(images=str(images))), cache, lambda done, count, name: read.append(name))
    return read


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz", "v.nrrd", "v.nhdr", "v.mha", "v.mhd", "series"])
def test_one_image_reads_alike_from_every_format(tmp_path: Path, name: str) -> None:
    image = small.image(1)
    if name == "series":
        small.write_series(tmp_path / name, image)
    else:
        sitk.WriteImage(image, str(tmp_path / name))
    got, affine = read_volume(tmp_path / name)
    expected = sitk.GetArrayFromImage(image).astype(np.float32)
    np.testing.assert_allclose(got, (expected - expected.mean()) / expected.std(), atol=1e-4)
    np.testing.assert_allclose(affine[:3], [[2, 0, 0, -20], [0, 2, 0, 11], [0, 0, 2, 5]], atol=1e-4)


def test_volumes_come_to_2_mm_and_keep_their_place(tmp_path: Path) -> None:
    sitk.WriteImage(small.image(1, spacing=1.0), str(tmp_path / "v.nii"))
    got, affine = read_volume(tmp_path / "v.nii")
    assert got.shape == (13, 14, 15)
    # The first voxel of 2 mm covers the first two of 1 mm.
    np.testing.assert_allclose(affine[:3], [[2, 0, 0, -19.5], [0, 2, 0, 11.5], [0, 0, 2, 5.5]], atol=1e-4)


def test_air_is_cut_and_what_has_no_texture_is_left() -> None:
    volume = np.zeros((60, 30, 30), dtype=np.float32)
    volume[30:40] = small.pixels(1, (10, 30, 30))
    cut, affine = crop_air(volume, np.diag([2.0, 2.0, 2.0, 1.0]))
    first = 30 - 3 - 8  # the variance's radius, the border
    assert cut.shape == (40 + 3 + 8 - first, 30, 30)
    assert affine[2, 3] == 2 * first
    flat, _ = crop_air(np.zeros((9, 9, 9), dtype=np.float32), np.eye(4))
    assert flat.shape == (9, 9, 9)


def test_the_cache_is_made_once_and_again_when_files_change(tmp_path: Path) -> None:
    images, cache = small.image_folder(tmp_path / "images", range(3)), tmp_path / "c.npz"
    assert prepared(images, cache) == ["scan0", "scan1", "scan2"]
    assert prepared(images, cache) == []
    os.utime(images / "scan1.nii.gz", (1, 1))
    assert len(prepared(images, cache)) == 3
    small.image_folder(images, range(3, 4))
    assert len(prepared(images, cache)) == 4
    (images / "scan0.nii.gz").unlink()
    assert prepared(images, cache) == ["scan1", "scan2", "scan3"]
    assert prepared(images, cache) == []


def test_a_slice_that_changes_makes_the_cache_anew(tmp_path: Path) -> None:
    images, cache = small.image_folder(tmp_path / "images", range(1)), tmp_path / "c.npz"
    small.write_series(images / "series", small.image(5))
    assert len(prepared(images, cache)) == 2
    assert prepared(images, cache) == []
    os.utime(images / "series" / "slice003.dcm", (1, 1))
    assert len(prepared(images, cache)) == 2


def test_who_is_held_out_can_change_without_reading_again(tmp_path: Path) -> None:
    images, cache = small.image_folder(tmp_path / "images", range(6)), tmp_path / "c.npz"
    prepared(images, cache)
    for seed in (1, 2, 3):
        sources = find_sources(TrainingConfig(images=str(images), seed=seed))
        assert not prepare(sources, cache, lambda *_: None)
        infos = [source.info for source in sources]
        volumes = load_cache(cache, CPU, infos, splits=("validation",))
        assert [v.info for v in volumes] == [i for i in infos if i.split == "validation"]
        expected = small.pixels(int(volumes[0].info.name.removeprefix("scan")))
        np.testing.assert_allclose(volumes[0].data, expected, atol=0.1)


def test_all_unreadable_volumes_are_named_and_the_cache_stays(tmp_path: Path) -> None:
    images, cache = small.image_folder(tmp_path / "images", range(8)), tmp_path / "c.npz"
    prepared(images, cache)
    before = cache.read_bytes()
    (images / "scan3.nii.gz").write_bytes(b"nothing")
    content = (images / "scan5.nii.gz").read_bytes()
    (images / "scan5.nii.gz").write_bytes(content[: len(content) // 2])
    sitk.WriteImage(sitk.Image(8, 8, sitk.sitkFloat32), str(images / "flat.mha"))
    sitk.WriteImage(sitk.Image(8, 8, 8, sitk.sitkFloat32), str(images / "zero.mha"))
    (images / "two").mkdir()
    for name in ("a", "b"):
        small.write_series(tmp_path / name, small.image(1))
        for path in (tmp_path / name).iterdir():
            path.rename(images / "two" / f"{name}{path.name}")
    with pytest.raises(ImageError) as caught:
        prepared(images, cache)
    lines = dict(line.split(": ", 1) for line in str(caught.value).splitlines())
    names = ("flat.mha", "scan3.nii.gz", "scan5.nii.gz", "zero.mha", "two")
    assert list(lines) == [str(images / name) for name in names]
    said = ("got a 2-D", "not readable", "ends after", "every voxel is 0", "holds 2 DICOM series")
    for name, says in zip(names, said, strict=True):
        assert says in lines[str(images / name)], name
        assert lines[str(images / name)].endswith("; or leave it out")
    assert cache.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "c.npz", "images"]


def test_series_that_lack_a_slice_are_refused(tmp_path: Path) -> None:
    small.write_series(tmp_path / "series", small.image(1))
    (tmp_path / "series" / "slice011.dcm").unlink()
    with pytest.raises(
        ImageError, match=rf"^{tmp_path}/series: slices are missing: 4 mm lie between slice010.dcm and slice012.dcm"
    ):
        load_image(tmp_path / "series")


def test_a_file_that_is_no_cache_is_not_overwritten(tmp_path: Path) -> None:
    images = small.image_folder(tmp_path / "images", range(2))
    sources = find_sources(TrainingConfig(images=str(images)))
    scan = images / "scan0.nii.gz"
    before = scan.read_bytes()
    with pytest.raises(ConfigError, match=r"scan0.nii.gz: not a cache of volumes"):
        prepare(sources, scan, lambda *_: None)
    assert scan.read_bytes() == before


def test_caches_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.npz: no such file; give images to make it from"):
        load_cache(tmp_path / "none.npz", CPU)
    path = tmp_path / "c.npz"
    info = VolumeInfo("a", "", "a", "", "train")
    save_cache(path, [(info, small.pixels(1), np.eye(4))])
    assert cache_fingerprint(path) == ""
    with pytest.raises(ConfigError, match=r"c.npz: holds no volumes for validation"):
        load_cache(path, CPU, splits=("validation",))
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"\x93NUMPY", content[:200] + bytes(9000) + content[9200:]):
        path.write_bytes(damaged)
        with pytest.raises(ConfigError, match=r"c.npz: not a cache of volumes, or a damaged one"):
            load_cache(path, CPU)


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"file/c.npz: cannot be written: "):
        save_cache(tmp_path / "file" / "c.npz", [])
