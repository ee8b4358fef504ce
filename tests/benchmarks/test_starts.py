from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from helpers.images import structured_image

pytest.importorskip("scipy")
pytest.importorskip("matplotlib")

from geometry import sample_points, turned
from methods import Options, disa_search
from pairs import Pair
from starts import summary

from disa.pose.schedule import SCHEDULE


def test_more_starts_and_points_cost_more_and_leave_the_defaults_alone() -> None:
    image = structured_image()
    points = sample_points(image)
    pair = Pair(image, turned(image, np.random.default_rng(0)), None, None, points, points, sitk.Euler3DTransform())
    before = replace(SCHEDULE)
    few, many = (
        disa_search(starts, 64)(pair, sitk.Euler3DTransform(), Options("disa-lc2", 500, 1)) for starts in (5, 100)
    )
    assert few.evaluations is not None and many.evaluations is not None
    assert few.evaluations + 500 < many.evaluations
    assert many.search_seconds is not None and many.search_seconds > 0
    assert pair.error(many.transform) < 2.0
    assert before == SCHEDULE


def test_summary_leaves_out_what_was_not_run() -> None:
    rows = [
        {"method": "10 starts", "final_mm": end, "search_seconds": "0.5", "seconds": "2"} for end in ("3", "4", "50")
    ]
    (found,) = summary(rows, ["10 starts", "20 starts"])
    assert found == ("10 starts", 3, pytest.approx(2 / 3), 4.0, 0.5, 2.0)
