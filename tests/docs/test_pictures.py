# SPDX-License-Identifier: Apache-2.0
"""Every picture of the pages is there and said in words, and none is kept that no page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.paths import BENCHMARKS, DOCS
from helpers.readability import pages

SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)\s:]+)\)")
LARGEST = 500_000
"""Bytes of a picture."""


def shown_by(page: Path) -> list[tuple[str, Path]]:
    """What is said of each picture of a page, and its file."""
    return [(said, (page.parent / name).resolve()) for said, name in SHOWN.findall(page.read_text())]


def test_pictures_and_pages_belong_together() -> None:
    shown = {picture for page in pages() for _, picture in shown_by(page)}
    kept = {path for folder in (DOCS, BENCHMARKS) for kind in ("svg", "png") for path in folder.rglob(f"*.{kind}")}
    assert shown == kept
    assert {path.name for path in kept if path.stat().st_size > LARGEST} == set()


@pytest.mark.parametrize("page", [page for page in pages() if shown_by(page)], ids=lambda page: page.stem)
def test_a_picture_is_said_in_words(page: Path) -> None:
    assert [picture.name for said, picture in shown_by(page) if len(said) < 6] == []


@pytest.mark.parametrize("picture", sorted(DOCS.glob("*.svg")), ids=lambda picture: picture.stem)
def test_a_drawing_has_a_title_and_asks_for_nothing(picture: Path) -> None:
    text = picture.read_text()
    assert re.search(r"<title[^>]*>[^<]{20,}</title>", text)
    assert re.findall(r'href="(?!data:|#)[^"]*"|url\((?!#)[^)]*\)', text) == []
