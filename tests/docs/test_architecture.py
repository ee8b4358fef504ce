"""The page on where things are in the code names files and folders that there are."""

from __future__ import annotations

import re

from helpers.paths import DOCS, ROOT

FOLDERS = ("", "python/disa", "cpp/include", "cpp/include/disa", "cpp/src/engine", "cpp/src/kernels")
EXAMPLES = {"cpp/src/kernels/KernelNAME.cxx"}


def test_every_file_that_the_page_names_is_there() -> None:
    page = (DOCS / "architecture.md").read_text() + (DOCS / "architecture.svg").read_text()
    named = set(re.findall(r"[\w./-]+\.(?:py|pyi|h|cxx|cpp|cmake|md|toml)\b", page)) - EXAMPLES
    assert len(named) > 40
    assert [n for n in sorted(named) if not any((ROOT / f / n).is_file() for f in (*FOLDERS, "docs"))] == []


def test_every_folder_of_the_code_has_its_row() -> None:
    rows = set(re.findall(r"^\| `([\w/]+)`", (DOCS / "architecture.md").read_text(), re.M))
    python = {init.parent.name for init in (ROOT / "python" / "disa").glob("*/__init__.py")}
    compiled = {f"disa/{folder.name}" for folder in (ROOT / "cpp" / "include" / "disa").iterdir()}
    assert python | compiled <= rows
