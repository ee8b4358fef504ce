# SPDX-License-Identifier: Apache-2.0
"""Each page of benchmarks answers a question by a command and a table, and the index lists them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.paths import BENCHMARKS

INDEX = BENCHMARKS / "README.md"
RESULTS = sorted((BENCHMARKS / "results").glob("*.md"))
PAPER = BENCHMARKS / "paper.md"
PAGES = [*RESULTS, PAPER, BENCHMARKS / "experiments.md", BENCHMARKS / "notes.md"]


def name_of(page: Path) -> str:
    return page.stem


def test_the_index_has_every_page_once_by_its_question() -> None:
    rows = re.findall(r"^\| (.*\?).* \| \[.*\]\((.*)\) \|$", INDEX.read_text(), re.MULTILINE)
    titles = [page.read_text().partition("\n")[0].removeprefix("# ") for page in PAGES]
    paths = [page.relative_to(BENCHMARKS).as_posix() for page in PAGES]
    assert sorted(rows) == sorted(zip(titles, paths, strict=True))
    assert sorted(BENCHMARKS.rglob("*.md")) == sorted([INDEX, *PAGES])


@pytest.mark.parametrize("page", [*RESULTS, PAPER], ids=name_of)
def test_a_page_has_question_command_and_table(page: Path) -> None:
    text = page.read_text()
    assert re.match(r"# .*\?\n", text)
    assert re.search(r"^    python benchmarks/", text, re.MULTILINE)
    assert re.search(r"^\|[-|]+\|$", text, re.MULTILINE)


@pytest.mark.parametrize("page", [*RESULTS, PAPER], ids=name_of)
def test_a_command_names_a_script_that_is_there(page: Path) -> None:
    named = re.findall(r"^    python (benchmarks/[\w/]+\.py)", page.read_text(), re.MULTILINE)
    assert [name for name in named if not (BENCHMARKS.parent / name).is_file()] == []
