# SPDX-License-Identifier: Apache-2.0
"""The page that a registration leaves behind."""

from __future__ import annotations

import re

import numpy as np
import pytest
import SimpleITK as sitk

from disa.report.display import Pair
from disa.report.page import page_of, write_html
from disa.report.view import draw
from helpers.images import smooth_noise
from helpers.reports import BAD, record, result

IDENTITY = sitk.Transform(3, sitk.sitkIdentity)


def pair(field: sitk.DisplacementFieldTransform | None = None) -> Pair:
    return Pair(smooth_noise(1), smooth_noise(2), IDENTITY, result().transform, field)


def page(shown: Pair, **changed: object) -> str:
    found = {**record(shown), **changed}
    return write_html(page_of("b & <c> on a", found, ["Before is a test."]), draw(shown))


def cells(text: str, name: str) -> list[str]:
    """Of the row that begins with a name."""
    found = re.search(rf"<th scope=\"row\">{re.escape(name)}</th>(.*?)</tr>", text)
    assert found, name
    return re.findall(r"<td>(.*?)</td>", found[1])


def test_doubts_are_said() -> None:
    assert result().doubts == []
    (doubt,) = result(BAD).doubts
    assert "probability" in doubt
    shown = result(BAD)._repr_html_()
    assert "probability" in shown and "confidence" in shown and "Euler3DTransform" in shown and "90 %" in shown


def test_the_page_asks_for_nothing_and_escapes_names() -> None:
    text = page(pair())
    assert "b &amp; &lt;c&gt; on a" in text and "b/&lt;moving&gt;.nii" in text and "<moving>" not in text
    assert text.count("<polyline") == 2 and "-0.4100" in text
    assert not re.findall(r"https?://|src=\"(?!data:)|url\(", text)
    assert "default-src 'none'" in text and len(text) < 2_000_000


def test_parameters_have_names_and_units() -> None:
    text = page(pair())
    assert cells(text, "rotation about x, y, z") == ["5.73, 0.00, 2.86°"]
    assert cells(text, "translation, x, y, z") == ["4.00, 0.00, 2.00 mm"]
    assert cells(text, "centre of rotation, x, y, z") == ["30.0, 30.0, 30.0 mm"]


def test_files_their_hashes_and_the_command_are_there() -> None:
    text = page(pair())
    assert cells(text, "voxels") == ["40 x 36 x 30"] * 2 and cells(text, "spacing (mm)") == ["2 x 2 x 2.5"] * 2
    assert cells(text, "voxel axes lead to") == ["left, back, head"] * 2
    assert cells(text, "SHA-256") == ["f1" * 32, "a2" * 32]
    assert cells(text, "fixed mask") == [f"a/mask.nii (SHA-256 {'c3' * 32})"]
    assert cells(text, "command") == ["disa register a/fixed.nii &#x27;b/&lt;moving&gt;.nii&#x27; -o out"]


def test_poses_of_the_search_are_on_one_scale_with_the_result() -> None:
    text = page(pair())
    assert cells(text, "result") == ["-0.29", "0.0 mm", "0.0°"]
    assert cells(text, "1") == ["-0.3", "0.0 mm", "0.0°"]
    points = np.stack(np.meshgrid(*(np.linspace(-1, n * s - 1, 9)[:-1] + n * s / 16 for n, s in
                                    ((40, 2), (36, 2), (30, 2.5)))), axis=-1).reshape(-1, 3)  # fmt: skip
    away = [np.linalg.norm(np.subtract(result().transform.TransformPoint(p), p)) for p in points.tolist()]
    value, distance, turn = cells(text, "2")
    assert value == "-0.1" and float(distance.removesuffix(" mm")) == pytest.approx(np.mean(away), rel=0.02)
    assert turn == f"{np.degrees(np.arccos((np.trace(matrix_of(result().transform)) - 1) / 2)):.1f}°"


def matrix_of(transform: sitk.Transform) -> np.ndarray:
    return np.asarray(sitk.Euler3DTransform(transform).GetMatrix()).reshape(3, 3)


@pytest.mark.parametrize(
    ("sure", "doubts", "says"),
    [
        (0.97, [], "Probably right."),
        (0.7, [], "Rather right than wrong."),
        (0.2, ["It is bad."], "Doubtful: do not use it"),
        (None, [], "Nothing speaks against it, but"),
    ],
)
def test_the_verdict_is_in_plain_words(sure: float | None, doubts: list[str], says: str) -> None:
    text = page(pair(), confidence=sure, doubts=doubts)
    said = re.sub(r"<.*?>", "", text[text.index('id="verdict"') :].split("</section>")[0])
    assert says in said and all(doubt in said for doubt in doubts)
    assert (f"{100 * sure:.0f} %" in said) if sure is not None else "Confidence" not in said


def test_a_deformation_can_be_seen() -> None:
    vectors = np.zeros((8, 8, 8, 3))
    vectors[..., 0] = 2.0 * (np.arange(8) - 3.5)
    image = sitk.GetImageFromArray(vectors, isVector=True)
    image.SetSpacing((12.0, 12.0, 12.0))
    text = page(pair(sitk.DisplacementFieldTransform(image)))
    assert 'id="determinant"' in text and '"displacements"' in text
    assert 'id="determinant"' not in page(pair())
