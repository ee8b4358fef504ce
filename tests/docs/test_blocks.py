# SPDX-License-Identifier: Apache-2.0
"""Blocks of the pages below docs run as they are written: Python in the page's order, commands as far as their options.

A block that cannot run here has a comment before it, `<!-- not run: why -->`. The README and the start page have tests
of their own, each block by itself in a new process.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import SimpleITK as sitk
import typer

from disa.cli.app import app
from helpers.dicom_files import write_series
from helpers.displaced import displaced_images, error_of
from helpers.foreign_networks import edge_network
from helpers.paths import DOCS

PAGES = [page for page in sorted(DOCS.rglob("*.md")) if page.name != "start.md"]
BLOCK = re.compile(r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)

TOLERANCE = 1.0
"""mm."""


class Block(NamedTuple):
    """A block of code, and why it is not run; empty: it is."""

    language: str
    text: str
    why: str


def blocks(page: Path, language: str) -> list[Block]:
    found = [Block(m["language"], m["text"], m["why"] or "") for m in BLOCK.finditer(page.read_text())]
    return [block for block in found if block.language == language]


pair = functools.cache(displaced_images)


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages take for granted: a pair by the names that they use, as DICOM too, a network, and results."""
    folder = tmp_path_factory.mktemp("pages")
    fixed, moving, _ = pair()
    for image, names in ((fixed, ("fixed", "mr_t1", "mr")), (moving, ("moving", "ct"))):
        for name in names:
            sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    write_study(moving, folder / "study", series="4")
    edge_network(folder / "net.onnx", stride=4)
    digest = hashlib.sha256((folder / "fixed.nii.gz").read_bytes()).hexdigest()
    (folder / "out").mkdir()
    (folder / "out" / "result.json").write_text(f'{{"sha256": {{"inputs": {{"fixed": "{digest}"}}}}}}')
    return folder


def write_study(image: sitk.Image, folder: Path, series: str) -> None:
    """An image as a DICOM series of that number."""
    slices = np.rint(sitk.GetArrayFromImage(image))
    write_series(
        folder,
        slices,
        [image.TransformIndexToPhysicalPoint((0, 0, index)) for index in range(len(slices))],
        image.GetSpacing(),
        orientation=np.reshape(image.GetDirection(), (3, 3)).T[:2].ravel().tolist(),
        extra=lambda _: {0x00200011: series},
    )


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name_of)
def test_python_runs_and_brings_images_together(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to_run = [block for block in blocks(page, "python") if not block.why]
    if not to_run:
        pytest.skip("; ".join(block.why for block in blocks(page, "python")))
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(to_run, 1):
        exec(compile(block.text, f"{name_of(page)}, Python block {number}", "exec"), names)
        if "global_register" in block.text:
            assert error_of(names["result"].transform, pair()[2]) < TOLERANCE, block.text


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_are_ones_that_there_are(page: Path) -> None:
    group = typer.main.get_command(app)
    with typer.Context(group) as context:
        for line in (line for block in blocks(page, "sh") for line in re.sub(r"\\\n\s*", "", block.text).splitlines()):
            words = shlex.split(re.sub(r"\s+(?:\|\||&$).*", "", line), comments=True)
            if words and Path(words[0]).name == "disa":
                _, command, arguments = group.resolve_command(context, words[1:])
                command.make_parser(context).parse_args(list(arguments))
