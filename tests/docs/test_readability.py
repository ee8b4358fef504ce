# SPDX-License-Identifier: Apache-2.0
"""Pages are written in sentences that people can read, and figures stand in tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.readability import MOST_WORDS, pages, read_prose, words_of

README = ROOT / "README.md"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_sentence_is_too_long(page: Path) -> None:
    assert read_prose(page.read_text()).longer_than(MOST_WORDS) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_figures_stand_in_tables(page: Path) -> None:
    assert read_prose(page.read_text()).figures == ()


def test_the_readme_is_short() -> None:
    assert len(README.read_text()) <= 9000


def test_prose_is_told_from_all_else() -> None:
    text = """# A heading of 2 words

One sentence over
two lines, with `inline 3 code`. Another [link](page-4.md)!

    python indented.py 5

- an item of 6 words or so

```python
x = 7
```

| a cell. Another one | 8 |
|---|---|

<!-- 9 -->
"""
    prose = read_prose(text)
    assert prose.sentences == (
        "One sentence over two lines, with `code`.",
        "Another link!",
        "an item of 6 words or so",
    )
    assert prose.cells == ("a cell.", "Another one", "8")
    assert prose.figures == ("6",)


def test_names_versions_and_years_are_no_figures() -> None:
    assert read_prose("A 3-D T1 of LC² in 2023, 3D Slicer, Python 3.10 and Apache-2.0").figures == ()
    assert read_prose("From 0-25 mm, -1 or (95 %) in 3 s").figures == ("0-25", "-1", "(95", "3")


def test_words_are_counted_without_signs() -> None:
    assert words_of("One - two / three, LC² and `code`.") == 6
    assert read_prose("a b c d e.").longest == 5
