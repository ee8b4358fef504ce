"""The pages on ITK and SimpleITK list the metric's settings as the code documents them."""

from __future__ import annotations

import pytest

from disa.doors.settings import settings_table
from helpers.paths import DOCS

BEGIN, END = "<!-- settings -->", "<!-- /settings -->"


@pytest.mark.parametrize("page", ["itk.md", "simpleitk.md"])
def test_page_holds_the_table_of_settings(page: str) -> None:
    text = (DOCS / "howto" / page).read_text()
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    held = text.partition(BEGIN)[2].partition(END)[0]
    assert held.strip("\n") == settings_table()
