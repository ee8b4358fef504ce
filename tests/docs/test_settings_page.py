# SPDX-License-Identifier: Apache-2.0
"""The page of every setting is what the code says of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from disa.deform.options import DeformOptions
from disa.doors.settings import METRIC_SETTINGS
from disa.pose.options import SearchOptions
from helpers.settings_page import PAGE, entries_of, options_table, page


def test_the_page_is_of_this_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "PYTHONPATH=tests python tests/write_settings.py writes it anew"


@pytest.mark.parametrize("name", [*SearchOptions.__annotations__, *DeformOptions.__annotations__])
def test_every_option_has_its_row(name: str) -> None:
    assert f"\n| `{name}` | " in page()


def test_every_setting_of_the_metric_has_its_row() -> None:
    assert [s.argument for s in METRIC_SETTINGS if f" | `{s.argument}` | {s.default} | " not in page()] == []


@dataclass(frozen=True)
class Described:
    """Of a call.

    Attributes:
        one: a number,
            over two lines.
        two: another.

    Raises:
        ValueError: never.
    """

    one: int = 1
    two: str = "b"


def test_a_docstring_becomes_rows() -> None:
    assert entries_of(Described, "Attributes") == {"one": "a number, over two lines.", "two": "another."}
    assert options_table(Described).splitlines()[2:] == [
        "| `one` | `1` | a number, over two lines. |",
        '| `two` | `"b"` | another. |',
    ]
