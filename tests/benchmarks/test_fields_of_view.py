# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("scipy")

import measure
from bone import bone_of, bone_points
from cuts import box_about, cut_heads, near
from geometry import centre_of, covers, mean_distance
from measure import FIELDS, rows_of, runs_of
from pairs import Scene
from summaries import doubt_table, part_tables
from trials import PARTS, Trial

from disa.errors import RegistrationError

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def block(size: tuple[int, int, int], box: Box, value: float = 1000.0, spacing: float = 2.0) -> sitk.Image:
    """Black but for a box of voxels, given as first and last index along x, y and z."""
    pixels = np.zeros(size[::-1], np.float32)
    pixels[tuple(slice(first, last + 1) for first, last in box[::-1])] = value
    image = sitk.GetImageFromArray(pixels)
    image.SetSpacing((spacing,) * 3)
    image.SetOrigin((-20.0, 30.0, 5.0))
    return image


def test_points_of_bone_lie_in_the_t1_and_go_where_the_reference_says() -> None:
    ct = block((40, 30, 30), ((5, 34), (10, 19), (10, 19)))
    t1 = ct[:20]
    assert 0.7 * 3000 < sitk.GetArrayFromImage(bone_of(ct)).sum() < 1.3 * 3000
    assert not sitk.GetArrayFromImage(bone_of(block((40, 30, 30), ((5, 8), (5, 8), (5, 8))))).any()  # 0.5 ml
    reference = sitk.TranslationTransform(3, (4.0, 0.0, 0.0))
    here, there = bone_points(t1, ct, reference)
    assert len(here) == 400 and covers(t1, here).all()
    assert mean_distance(reference, here, there) < 1e-9
    assert mean_distance(sitk.Transform(), here, there) == pytest.approx(4.0)


def test_box_about_a_point_is_centred_and_of_its_size() -> None:
    image = block((40, 30, 20), ((0, 1), (0, 1), (0, 1)))
    point = np.asarray(image.TransformIndexToPhysicalPoint((20, 10, 10)))
    stack = box_about(image, point, (None, None, 12.0))
    assert stack.GetSize() == (40, 30, 7)
    assert centre_of(stack)[2] == pytest.approx(point[2])
    assert box_about(image, point, (8.0, 8.0, 8.0)).GetSize() == (5, 5, 5)
    np.testing.assert_allclose(centre_of(box_about(image, point, (8.0, 8.0, 8.0))), point)


def test_near_reaches_so_many_mm() -> None:
    grown = sitk.GetArrayFromImage(near(block((30, 30, 30), ((15, 15), (15, 15), (15, 15)), 1.0), 6.0))
    assert grown[15, 15].sum() == 7 and grown.any(axis=(1, 2)).sum() == 7


@pytest.mark.parametrize("share", [0.7, 0.3])
@pytest.mark.parametrize("flip", [False, True])
def test_cut_heads_have_a_share_of_the_longest_axis_in_common(share: float, flip: bool) -> None:
    one = block((50, 60, 40), ((10, 39), (4, 53), (5, 34)))  # 100 mm along y
    other = sitk.Flip(one, (False, flip, False))
    cut, other_cut = cut_heads(one, other, share)
    assert cut.GetSize()[0::2] == (50, 40) == other_cut.GetSize()[0::2]
    spans = []
    for image in (cut, other_cut):
        ends = [image.TransformIndexToPhysicalPoint((0, y, 0))[1] for y in (0, image.GetSize()[1] - 1)]
        spans.append((min(ends), max(ends)))
    common = spans[0][1] - spans[1][0]
    assert common == pytest.approx(share * 100.0, abs=6.0)
    assert spans[0][0] < spans[1][0] and spans[0][1] < spans[1][1]


def trial(scene: Callable[[], Scene]) -> Trial:
    return Trial("part", "case", "group", ("CT", "T1"), scene, ((2.0, 6.0), None))


def scene() -> Scene:
    image = block((20, 20, 20), ((5, 14), (5, 14), (5, 14)))
    points = np.asarray([(0.0, 40.0, 10.0), (5.0, 50.0, 20.0), (-5.0, 45.0, 30.0)])
    mask = sitk.Cast(image > 0, sitk.sitkUInt8)
    return Scene(image, 2 * image, mask, None, points, points, sitk.Euler3DTransform())


def test_refused_run_ends_where_it_started_with_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(fixed: sitk.Image, moving: sitk.Image, **options: object) -> None:
        asked.append((fixed, moving, options))
        raise RegistrationError("nothing overlaps")

    monkeypatch.setattr(measure.disa, "register", refuse)
    rows = list(rows_of(runs_of([trial(scene)], 1), 0, "disa-lc2"))
    assert [(row["role"], row["bin"]) for row in rows] == [
        ("CT fixed", "2-6"),
        ("T1 fixed", "2-6"),
        ("CT fixed", "headers"),
        ("T1 fixed", "headers"),
    ]
    assert all(row["final_mm"] == row["initial_mm"] and row["doubts"] and row["value"] == "" for row in rows)
    assert rows[0]["initial_mm"] == rows[1]["initial_mm"] > 2.0 and rows[2]["initial_mm"] == 0.0
    assert set(rows[0]) < set(FIELDS)
    fixed_masks = [options["fixed_mask"] is not None for _, _, options in asked]
    moving_masks = [options["moving_mask"] is not None for _, _, options in asked]
    assert fixed_masks == [True, False, True, False] and moving_masks == [False, True, False, True]


def test_trials_are_named_once(tmp_path: Path) -> None:
    trials = [trial for part in PARTS.values() for trial in part(tmp_path, tmp_path)]
    assert len({(trial.part, trial.case) for trial in trials}) == len(trials) == 59
    assert {trial.part for part in PARTS.values() for trial in part(tmp_path, None)} == {
        "bone masks",
        "limbs",
        "tumour masks",
        "heads cut",
        "slabs",
    }


def test_tables_say_what_the_rows_say() -> None:
    ends = [(1.0, False, "0.9"), (4.0, False, "0.8"), (9.0, True, ""), (30.0, True, "0.1"), (40.0, False, "0.3")]
    rows = [
        dict.fromkeys(FIELDS, "")
        | {"part": "slabs", "group": "stack", "role": "CT fixed", "bin": "2-6", "initial_mm": "5.0"}
        | {"final_mm": str(mm), "headers_mm": str(mm + 1), "doubts": str(doubts), "confidence": confidence}
        for mm, doubts, confidence in ends
    ]
    (table,) = part_tables(rows)
    assert "| stack | CT fixed | 2-6 | 5 | 5.0 | 9.0 | 20 % | 40 % | 60 % | 60 % | 10.0 | 40 % |" in table
    assert "| slabs | 2 | 50 % | 0.20 | 3 | 67 % | 0.85 |" in doubt_table(rows)
    spine = dict.fromkeys(FIELDS, "") | {"part": "spine", "case": "a", "role": "T1 fixed", "doubts": "True"}
    spine |= {"headers_dice": "0.7183", "dice": "0.76"}
    assert "| a | T1 fixed | 0.718 | 0.760 | yes |" in part_tables([spine])[0]
    assert "| all | 0 |" in doubt_table([spine])
