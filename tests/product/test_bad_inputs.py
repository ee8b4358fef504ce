# SPDX-License-Identifier: Apache-2.0
"""The page of bad inputs says what is said now."""

from __future__ import annotations

import pytest

pytest.importorskip("distributed", reason="cohorts run through dask.distributed")


def test_the_page_of_bad_inputs_is_true(capfd: pytest.CaptureFixture[str]) -> None:
    from helpers.bad_inputs import PAGE, page

    assert page() == PAGE.read_text(encoding="utf-8"), "python tests/write_errors.py writes it anew"
    assert capfd.readouterr() == ("", "")  # nor does a library say anything of its own
