# SPDX-License-Identifier: Apache-2.0
"""What the pages for users name is there: error texts, options of the command line, and names in Python."""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path

import pytest
import typer

import disa
from disa.cli.app import app
from helpers.paths import DOCS, ROOT

USERS_PAGES = [
    ROOT / "README.md",
    DOCS / "start.md",
    DOCS / "settings.md",
    DOCS / "troubleshooting.md",
    *sorted((DOCS / "howto").glob("*.md")),
]
OTHERS_OPTIONS = {
    "--build", "--install", "--prefix",
    "--death-timeout", "--memory-limit", "--nanny",
    "--no-dashboard", "--nthreads", "--protocol", "--tls-ca-file", "--tls-cert", "--tls-key",
    "--array", "--cores", "--cpus-per-task", "--jobs", "--mem",
    "--groups",
}  # fmt: skip
"""Of CMake, of dask, of SLURM and Snakemake, and of what makes a table for training."""


def said_in_code() -> str:
    """All texts of the package, each as one line."""
    sources = "\n".join(path.read_text() for path in (ROOT / "python" / "disa").rglob("*.py"))
    return re.sub(r'"\s*\n\s*f?"', "", sources)


@pytest.mark.parametrize(
    "quoted", re.findall(r'^\| "([^"]+)" \|', (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)
)
def test_an_error_that_is_explained_is_one_that_is_said(quoted: str) -> None:
    said = said_in_code()
    parts = [part.strip() for part in re.split(r"\d(?:-D)?", quoted)]
    assert [part for part in parts if len(part) > 3 and part not in said] == []


def test_every_option_that_pages_name_is_there() -> None:
    commands = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    known = {option for command in commands for parameter in command.params for option in parameter.opts} | {"--help"}
    named = {option for page in USERS_PAGES for option in re.findall(r"(?<![\w-])--[a-z][\w-]+", page.read_text())}
    assert len(named) > 15
    assert named - known - OTHERS_OPTIONS == set()


@pytest.mark.parametrize("page", USERS_PAGES, ids=lambda page: page.name)
def test_every_name_in_python_is_there(page: Path) -> None:
    for name in set(re.findall(r"`(?:\w+ = )?disa\.((?:\w+\.)*\w+)", page.read_text())):
        reduce(getattr, name.split("."), disa)
