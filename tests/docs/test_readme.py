# SPDX-License-Identifier: Apache-2.0
"""What the README and the first pages say to type runs as it is written, and ends right."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from disa.cli.app import app
from helpers.displaced import displaced_images, error_of
from helpers.paths import ROOT

pytestmark = pytest.mark.usefixtures("small_pictures")

PAGES = ("README.md", "docs/start.md")


def blocks(page: str, language: str) -> list[str]:
    """A page's blocks of code in a language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """The arguments of each command `disa` of a page but `doctor`, which looks at no image."""
    lines = [shlex.split(line, comments=True) for block in blocks(page, "sh") for line in block.splitlines()]
    return [line[1:] for line in lines if line[:1] == ["disa"] and line[1:] != ["doctor"]]


@pytest.fixture
def centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The centre of a pair whose files have the names that the pages give them, in the working folder."""
    fixed, moving, centre = displaced_images()
    for name in ("mr_t1.nii.gz", "fixed.nii.gz"):
        sitk.WriteImage(fixed, str(tmp_path / name))
    for name in ("ct.nii.gz", "moving.nii.gz"):
        sitk.WriteImage(moving, str(tmp_path / name))
    sitk.WriteImage(sitk.OtsuThreshold(moving), str(tmp_path / "labels.nii.gz"))
    monkeypatch.chdir(tmp_path)
    return centre


def test_the_readme_has_a_block_for_each_door() -> None:
    text = "".join(blocks("README.md", "python"))
    for door in ("disa.global_register", "disa.ImageRegistrationMethod", "itk.ImageRegistrationMethodv4"):
        assert door in text


@pytest.mark.parametrize(("page", "block"), [(page, block) for page in PAGES for block in blocks(page, "python")])
def test_a_python_block_brings_images_together(
    page: str, block: str, centre: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "block.py").write_text(block)
    runpy.run_path("block.py", run_name="__main__")
    assert capsys.readouterr().out.startswith("value -")
    assert error_of(sitk.ReadTransform(str(tmp_path / "fixed_to_moving.tfm")), centre) < 1.0


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_do_what_the_page_says(page: str, centre: list[float], tmp_path: Path) -> None:
    assert len(commands(page)) >= 2
    for command in commands(page):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    assert error_of(sitk.ReadTransform("out/transform.h5"), centre) < 1.0
    assert {"transform.tfm", "moved.nii.gz", "report.html"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert sitk.ReadImage("moved_labels.nii.gz").GetSize() == sitk.ReadImage("fixed.nii.gz").GetSize()
