# SPDX-License-Identifier: Apache-2.0
"""What the commands that apply, measure and describe say of what cannot be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from disa.cli.app import app
from helpers.commands import run


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["apply", "none.tfm", "points.csv", "-o", "x.csv"], "none.tfm: no such file; expected a transform"),
        (["apply", "points.csv", "points.csv", "-o", "x.csv"], "points.csv: not readable as a transform"),
        (["apply", "image.nii.gz", "points.csv", "-o", "x.csv"], "image.nii.gz: an image, but not of displacements"),
        (["apply", "shift.tfm", "shift.csv", "-o", "x.csv"], "shift.csv: no such file"),
        (["apply", "shift.tfm", "points.csv", "-o", "points.csv/x.csv"], "points.csv/x.csv: cannot be written"),
        (
            ["apply", "shift.tfm", "image.nii.gz", "-o", "x.xyz", "--reference", "image.nii.gz"],
            "x.xyz: ITK cannot write it",
        ),
        (["features", "image.nii.gz", "-o", "x.disa", "--spacing", "0"], "spacing: expected mm above 0"),
        pytest.param(
            ["heatmap", "image.nii.gz", "image.nii.gz", "--point", "0", "0", "900", "-o", "x.mha"],
            "lies outside",
            id="lies outside",
            marks=pytest.mark.images,
        ),
    ],
)
def test_what_cannot_be_done_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], says: str
) -> None:
    assert_one_line(folder, monkeypatch, command, says, 1)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["apply", "shift.tfm", "image.nii.gz", "-o", "x.mha"], "give --reference"),
        (["evaluate", "shift.tfm"], "nothing to measure by"),
        (["evaluate", "shift.tfm", "--fixed-labels", "labels.nii.gz"], "give both"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], says: str
) -> None:
    assert_one_line(folder, monkeypatch, command, says, 2)


def assert_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], says: str, code: int) -> None:
    monkeypatch.chdir(folder)
    before = sorted(path.name for path in folder.iterdir())
    result = run(app, command)
    assert result.exit_code == code
    assert len(result.output.splitlines()) == 1 and says in result.output
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    "command",
    [
        ["features", "image.nii.gz", "-o", "x.disa"],
        ["apply", "shift.tfm", "image.nii.gz", "-o", "x.mha", "--reference", "image.nii.gz"],
        ["register", "image.nii.gz", "image.nii.gz", "-o", "x"],
    ],
)
def test_a_file_that_may_not_be_read_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    says = "disa: image.nii.gz: cannot be read: Permission denied; give a file that you may read"
    assert_one_line(folder, monkeypatch, command, says, 1)
