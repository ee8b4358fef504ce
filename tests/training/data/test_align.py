# SPDX-License-Identifier: Apache-2.0
"""Volumes of one group are brought to one another, and the cache goes by it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.errors import ImageError  # noqa: E402
from disa.training.config import TrainingConfig  # noqa: E402
from disa.training.data import align as module  # noqa: E402
from disa.training.data.catalog import find_sources  # noqa: E402
from disa.training.data.prepare import prepare  # noqa: E402
from disa.training.data.volumes import load_cache  # noqa: E402
from helpers.images import structured_image  # noqa: E402

OFF = (3.0, -2.0, 1.5)


def pair(folder: Path) -> None:
    """An image, and its negative whose header says that it lies elsewhere."""
    one = structured_image((40, 40, 40), seed=5)
    other = -1.0 * one
    other.SetOrigin(np.add(one.GetOrigin(), OFF).tolist())
    sitk.WriteImage(one, str(folder / "one.nii.gz"))
    sitk.WriteImage(other, str(folder / "other.nii.gz"))
    (folder / "table.csv").write_text("file,subject,group,split\none.nii.gz,a,a,train\nother.nii.gz,a,a,train\n")


def aligned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pair(folder)
    arguments = ["align", str(folder), "--groups", str(folder / "table.csv"), "-o", str(folder / "aligned")]
    monkeypatch.setattr("sys.argv", arguments)
    module.main()
    return folder / "aligned" / "aligned.csv"


def sources(folder: Path, table: Path) -> list[object]:
    return find_sources(TrainingConfig(images=str(folder), groups=str(table), held_out=0.0))


@pytest.fixture(autouse=True)
def nobody_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("disa.training.data.catalog._hold_out", lambda found, config: found)


def test_a_volume_that_is_off_is_found_and_the_cache_puts_it_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = aligned(tmp_path, monkeypatch)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["transform"] for row in rows] == ["", "other.tfm"]
    found = sitk.ReadTransform(str(table.parent / "other.tfm"))
    assert found.TransformPoint((0.0, 0.0, 0.0)) == pytest.approx(OFF, abs=0.3)
    prepare(sources(tmp_path, table), tmp_path / "cache.npz", lambda *_: None)
    one, other = load_cache(tmp_path / "cache.npz", torch.device("cpu"))
    np.testing.assert_allclose(one.affine, other.affine, atol=0.4)


def test_a_missing_transform_is_named(tmp_path: Path) -> None:
    pair(tmp_path)
    table = tmp_path / "table.csv"
    table.write_text("file,transform\none.nii.gz,gone.tfm\n")
    with pytest.raises(ImageError, match=r"gone\.tfm: no such file, but .*table\.csv lists it"):
        sources(tmp_path, table)


def test_it_writes_into_a_new_folder_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair(tmp_path)
    arguments = ["align", str(tmp_path), "--groups", str(tmp_path / "table.csv"), "-o", str(tmp_path)]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit, match="is there already; give a new folder"):
        module.main()
