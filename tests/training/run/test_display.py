# SPDX-License-Identifier: Apache-2.0
"""What a run says of its pace."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("torch", reason="the training side needs PyTorch")

from rich.console import Console

from disa.training.run import display as display_module
from disa.training.run.display import Bar, Lines, Pace
from disa.training.schedule import Schedule

STEPS = Schedule("steps", 10_000, 100, 500)
SECONDS = Schedule("seconds", 7200, 100, 500)


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace(STEPS, pairs=1000)
    pace.add(0.0, 0, 0)
    assert pace.text() == "starting"
    for second in range(1, 101):  # one step a second, then ten
        pace.add(second, second if second < 50 else 10 * second - 450, second if second < 50 else 10 * second - 450)
    assert pace.text() == "1e+04 pairs/s, 0:15:45 left"


def test_time_left_of_a_run_in_seconds_is_by_its_clock() -> None:
    pace = Pace(SECONDS, pairs=500)
    pace.add(10.0, 100, 3590.0)
    pace.add(20.0, 300, 3600.0)
    assert pace.text() == "1e+04 pairs/s, 1:00:00 left"


@pytest.mark.parametrize(("kind", "terminal"), [(Bar, True), (Lines, False)])
def test_a_run_is_told_of(kind, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 20))
    monkeypatch.setattr(display_module.time, "monotonic", lambda: float(next(clock)))
    file = io.StringIO()
    display = kind(Console(file=file, force_terminal=terminal, width=150), STEPS, 1000)
    display.reading(0, 2, "scan[1]")
    if isinstance(display, Bar):
        display._progress.refresh()  # it waits a tenth of a second by itself
    display.note("a note")
    for step in (0, 20, 40):
        display.training(step, step)
    display.validated({"step": "40", "shifted_error": "0.01234"})
    for step in (60, 80, 100):
        display.training(step, step)
    display.close()
    said = file.getvalue()
    for expected in ("scan[1]", "a note", "step 100 of 10000, 1e+03 pairs/s, 2:45:00 left", "0.01234"):
        assert expected in said
