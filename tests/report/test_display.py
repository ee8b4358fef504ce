# SPDX-License-Identifier: Apache-2.0
"""What a report shows lies where the patient has it, whatever the order and the direction of the voxel axes."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from PIL import Image

from disa.geometry.grid import Grid
from disa.report.display import Pair, displayed, patient_grid, turn_from_patient
from disa.report.intensities import CT_WINDOWS, coding_of
from disa.report.view import compact, draw
from helpers.images import rotation, smooth_noise
from helpers.painted import PAINTED, PLACES, STORED, painted

IDENTITY = sitk.Transform(3, sitk.sitkIdentity)


def pair_of(fixed: sitk.Image, moving: sitk.Image, after: sitk.Transform = IDENTITY) -> Pair:
    return Pair(sitk.Cast(fixed, sitk.sitkFloat32), sitk.Cast(moving, sitk.sitkFloat32), IDENTITY, after)


@pytest.mark.parametrize("stored", STORED)
def test_sides_are_where_the_patient_has_them(stored: str) -> None:
    display = displayed(pair_of(painted(stored), painted("LPS")), 2e5)
    np.testing.assert_array_equal(display.grid.direction, np.eye(3))
    for name, volume in display.volumes.items():
        coding = display.codings["fixed" if name == "fixed" else "moving"]
        for place, point in PLACES.items():
            x, y, z = np.rint(display.grid.indices(np.array([point]))[0]).astype(int)
            seen = np.interp(volume[z, y, x], *zip(*coding.knots, strict=True))
            assert seen == pytest.approx(PAINTED[place], abs=100), (name, place)  # resampled twice


def test_after_is_seen_through_the_transform_from_fixed_to_moving_points() -> None:
    shift = sitk.TranslationTransform(3, (0.0, -21.0, 0.0))
    display = displayed(pair_of(painted("LPS"), painted("RAS"), shift), 2e5)
    x, y, z = np.rint(display.grid.indices(np.zeros((1, 3)))[0]).astype(int)
    coding = display.codings["moving"]
    values = np.interp(display.volumes["after"][z, y, x], *zip(*coding.knots, strict=True))
    assert values == pytest.approx(PAINTED["front"], abs=10)
    assert display.volumes["before"][z, y, x] < display.volumes["after"][z, y, x]


@pytest.mark.parametrize("stored", STORED[:-1])
def test_an_image_along_the_axes_keeps_its_voxels(stored: str) -> None:
    grid = patient_grid(Grid.of(painted(stored)), 1e6)
    assert grid.size == (61, 49, 39)
    np.testing.assert_allclose(grid.spacing, 1.0)
    np.testing.assert_allclose(grid.origin, (-30, -24, -19), atol=1e-9)
    assert turn_from_patient(Grid.of(painted(stored))) == 0


def test_thick_slices_stay_and_small_voxels_grow() -> None:
    thick = Grid((200, 180, 20), np.zeros(3), np.array([0.5, 0.5, 6.0]), np.eye(3))
    grid = patient_grid(thick, 200 * 180 * 20 / 4)
    assert grid.size[2] == 20 and grid.spacing[0] == pytest.approx(1.0, rel=0.05)
    assert np.prod(grid.size) <= 200 * 180 * 20 / 4
    np.testing.assert_allclose(np.ptp(grid.corners, axis=0), (100, 90, 120))


def test_a_turned_box_is_shown_whole() -> None:
    turned = Grid((50, 40, 30), np.array([5.0, -7.0, 9.0]), np.full(3, 2.0), rotation(20, -30, 10))
    grid = patient_grid(turned, 1e5)
    inside = np.abs(grid.indices(turned.corners) / np.array(grid.size) + 0.5 / np.array(grid.size) - 0.5)
    assert inside.max() <= 0.5 + 1e-9 and inside.max(axis=0).min() == pytest.approx(0.5)
    assert turn_from_patient(turned) == pytest.approx(np.degrees(np.arccos(np.abs(turned.direction).max(axis=0).min())))


def test_a_thin_slab_is_drawn() -> None:
    image = smooth_noise(0)[:, :, 14:16]
    view = draw(pair_of(image, image))
    assert view.data["size"][2] == 2


def test_pictures_keep_to_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(48, 48, 48)).astype(np.float32))
    _, whole = compact(pair_of(noise, noise))
    monkeypatch.setattr("disa.report.view.MOST_BYTES", 40_000)
    display, pictures = compact(pair_of(noise, noise))
    assert sum(map(len, whole.values())) > 100_000
    assert 15_000 < sum(map(len, pictures.values())) <= 40_000
    assert 16 < display.grid.size[0] < 48


def unpacked(view: dict[str, object], name: str) -> npt.NDArray[np.uint8]:
    """A volume of a view, shape (z, y, x), by another reader of JPEG."""
    nx, ny, nz = view["size"]  # type: ignore[misc]
    width, height = view["tile"]  # type: ignore[misc]
    picture = view["volumes"][name].split(",")[1]  # type: ignore[index]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))))
    return np.stack([
        pixels[k // view["columns"] * height :, k % view["columns"] * width :][:ny, :nx]  # type: ignore[operator]
        for k in range(nz)
    ])  # fmt: skip


def test_slices_lie_where_the_view_says() -> None:
    pair = pair_of(smooth_noise(3), smooth_noise(4))
    view = draw(pair).data
    expected = displayed(pair, 3e6).volumes
    for name in ("fixed", "before", "after"):
        difference = unpacked(view, name).astype(float) - expected[name]
        assert np.abs(difference).mean() < 3


def test_ct_is_seen_through_windows_of_hu() -> None:
    rng = np.random.default_rng(1)
    hu = np.concatenate([rng.normal(-1000, 5, 20000), rng.normal(40, 60, 15000), rng.normal(800, 300, 5000)])
    coding = coding_of(sitk.GetImageFromArray(rng.permutation(hu).reshape(40, 50, 20).astype(np.float32)))
    assert coding.is_ct and [window.name for window in coding.windows] == [name for name, *_ in CT_WINDOWS]
    assert (coding.windows[0].low, coding.windows[0].high) == (-160, 240)
    soft = np.linspace(-160, 240, 81)
    back = np.interp(coding.bytes_of(soft), *zip(*coding.knots, strict=True))
    assert np.abs(back - soft).max() < 2


def test_other_images_are_seen_between_robust_percentiles() -> None:
    values = np.abs(np.random.default_rng(2).normal(300, 100, (30, 30, 30))).astype(np.float32)
    values[:, :, :20] = 0
    values[3, 3, 3] = 1e6
    coding = coding_of(sitk.GetImageFromArray(values))
    assert not coding.is_ct and coding.windows[0].low == 0 and 500 < coding.windows[0].high < 700
    spot = sitk.Image(40, 40, 40, sitk.sitkFloat32)
    spot[20, 20, 20] = 7.0
    assert coding_of(spot).windows[0].high > coding_of(spot).windows[0].low
