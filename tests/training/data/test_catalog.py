# SPDX-License-Identifier: Apache-2.0
"""Which volumes are found, what they are called, and who is held out."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.errors import ConfigError, ImageError
from disa.training.config import TrainingConfig
from disa.training.data.catalog import Source, find_sources
from helpers import small_training as small


def touch(folder: Path, *names: str) -> Path:
    """Files without content: finding does not read them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def find(images: Path | list[str] | str, **settings: object) -> list[Source]:
    return find_sources(TrainingConfig(images=images if isinstance(images, list) else str(images), **settings))


def held_out(sources: list[Source]) -> set[str]:
    return {source.info.subject for source in sources if source.info.split == "validation"}


def test_volumes_of_all_kinds_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    names = ["a.nii", "b/c.nii.gz", "b/d/e.NRRD", "f.mha", "g/h.mhd", "i.nhdr"]
    touch(tmp_path, *names, "g/h.raw", "notes.txt", "b/.hidden.nii", ".git/x.nii", "._f.mha", "DICOMDIR")
    small.write_series(tmp_path / "p" / "series", small.image(1))
    found = find(tmp_path)
    assert [str(s.path.relative_to(tmp_path)) for s in found] == [
        "a.nii", "f.mha", "i.nhdr", "b/c.nii.gz", "b/d/e.NRRD", "g/h.mhd", "p/series"
    ]  # fmt: skip
    assert [s.info.name for s in found] == ["a", "f", "i", "c", "e", "h", "series"]
    assert [s.info.subject for s in found] == ["a", "f", "i", "b", "b", "g", "p"]
    assert all(s.info.group == "" for s in found)


def test_a_list_of_files_and_folders(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii", "b.nii", "x/c.nii", "x/d.nii")
    small.write_series(tmp_path / "s", small.image(1))
    found = find([str(tmp_path / name) for name in ("b.nii", "x", "s")])
    assert [s.path.name for s in found] == ["b.nii", "c.nii", "d.nii", "s"]
    assert [s.info.subject for s in found] == ["b", "c", "d", "s"]


def test_equal_file_names_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    touch(tmp_path, "s1/t1.nii", "s2/t1.nii")
    assert [s.info.name for s in find(tmp_path)] == [f"{tmp_path}/s1/t1", f"{tmp_path}/s2/t1"]
    touch(tmp_path, "s2/t1.mha")
    assert len({s.info.name for s in find(tmp_path)}) == 3


def test_subjects_are_held_out_as_a_whole_by_share_and_seed(tmp_path: Path) -> None:
    touch(tmp_path, *(f"s{subject}/{scan}.nii" for subject in range(20) for scan in "ab"))
    found = find(tmp_path, held_out=0.2)
    assert len(held_out(found)) == 4
    for source in found:
        assert (source.info.split == "validation") == (source.info.subject in held_out(found))
    assert find(tmp_path, held_out=0.2) == found
    assert held_out(find(tmp_path, held_out=0.2, seed=2)) != held_out(found)
    assert len(held_out(find(tmp_path, held_out=0.0))) == 1
    assert len(held_out(find(tmp_path, held_out=1.0))) == 19


def table(folder: Path, text: str) -> str:
    path = folder / "table.csv"
    path.write_text(text)
    return str(path)


def test_a_table_says_which_volumes_and_what_they_are(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii", "b.nii", "c.nii", "d.nii", "label.nii")
    rows = (
        "file,licence,modality,subject,group,split,tolerance\n"
        "a.nii,?,CT,p,g,,\nb.nii,?,MR,p,g,validation,9\nc.nii,,,,h,evaluation,0\n"
    )
    found = find(tmp_path, groups=table(tmp_path, rows))
    assert [(s.path.name, *vars(s.info).values()) for s in found] == [
        ("a.nii", "a", "CT", "p", "g", "train", 0.0),
        ("b.nii", "b", "MR", "p", "g", "validation", 9.0),
        ("c.nii", "c", "", "h", "h", "evaluation", 0.0),
    ]


def test_a_table_without_splits_has_subjects_held_out_but_never_the_evaluation(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii", "b.nii", "c.nii")
    found = find(tmp_path, groups=table(tmp_path, "file,split\na.nii,\nb.nii,train\nc.nii,evaluation\n"))
    assert sorted(s.info.split for s in found) == ["evaluation", "train", "validation"]
    assert found[2].info.split == "evaluation"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path\na.nii\n", "no column file, but path"),
        ("", "no column file, but nothing"),
        ("file\n", "lists no volumes"),
        ("file,split\na.nii,test\n", "line 2: split is test, expected train, validation, evaluation or nothing"),
        ("file,split\na.nii,\n,train\n", "line 3: no file"),
        ("file,tolerance\na.nii,far\n", "line 2: tolerance is far, expected 0 or more mm, or nothing"),
        ("file,tolerance\na.nii,-1\n", "line 2: tolerance is -1, expected 0 or more mm, or nothing"),
        ("file,tolerance\na.nii,inf\n", "line 2: tolerance is inf, expected 0 or more mm, or nothing"),
        ("file\na.nii\n", "expected two subjects or more"),
        ("file,split\na.nii,validation\n", "no volume is left to train on"),
        ("file\na.nii\na.nii\nb.nii\n", "a.nii: given twice"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, text: str, says: str) -> None:
    touch(tmp_path, "a.nii", "b.nii")
    with pytest.raises(ConfigError) as caught:
        find(tmp_path, groups=table(tmp_path, text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_of_a_table_are_all_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii")
    with pytest.raises(ImageError) as caught:
        find(tmp_path, groups=table(tmp_path, "file\na.nii\nx.nii\ny.nii\n"))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [f"{tmp_path}/x.nii", f"{tmp_path}/y.nii"]


def test_folders_without_volumes_and_tables_without_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no-such: no such file or folder"):
        find(tmp_path / "no-such")
    with pytest.raises(ConfigError, match=rf"images: no volumes in {tmp_path}; expected .nii.gz"):
        find(touch(tmp_path, "a.txt"))
    with pytest.raises(ConfigError, match=r"images is a list and groups is given"):
        find(["a.nii"], groups="t.csv")
    with pytest.raises(ConfigError, match=r"groups: \S+t.csv: No such file"):
        find(tmp_path, groups=str(tmp_path / "t.csv"))
