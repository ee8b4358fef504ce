# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("scipy")

from simulated_ultrasound import COMPENSATED, Probe, Tissue, draw, echoes, place, simulate

PROBE = Probe(depth=60.0, beams=(48, 40), step=0.8, spacing=1.5)
AXES = np.eye(3)


def uniform(shape: tuple[int, int, int]) -> Tissue:
    return Tissue(np.ones(shape), np.full(shape, 0.5), np.full(shape, COMPENSATED))


def limb(bone: float = 1000.0) -> sitk.Image:
    """CT of muscle in air, 160 mm wide and 90 mm long, with a bone along its middle."""
    _, y, x = np.mgrid[:30, :64, :64].astype(float)
    distance = np.hypot(x - 31.5, y - 31.5)
    hu = np.where(distance < 26, 50.0, -1000.0)
    hu[distance < 6] = bone
    image = sitk.GetImageFromArray(hu.astype(np.float32))
    image.SetSpacing((3.0, 3.0, 3.0))
    return image


def test_field_of_view_is_a_sector() -> None:
    image = draw(np.zeros((*PROBE.beams, 75)), np.array([5.0, -3.0, 8.0]), AXES, PROBE)
    seen = sitk.GetArrayFromImage(image) > 0
    apex = np.array([5.0, -3.0, 8.0 - PROBE.radius])
    for index in np.ndindex(*seen.shape):
        if sum(index) % 7:
            continue
        x, y, z = np.asarray(image.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]])) - apex
        depth = np.sqrt(x * x + y * y + z * z) - PROBE.radius
        side, lift = np.degrees(np.arctan2(x, z)), np.degrees(np.arctan2(y, z))
        expected = (
            abs(side) <= PROBE.lateral and abs(lift) <= PROBE.elevation and 0 <= depth <= PROBE.depth - PROBE.step
        )
        assert seen[index] == expected or abs(abs(side) - PROBE.lateral) < 1e-6


def test_shadow_lies_behind_bone_and_only_there() -> None:
    shape = (*PROBE.beams, 75)
    clear = uniform(shape)
    bone = uniform(shape)
    bone.impedance[10:20, :, 30:34] = 2.0
    bone.loss[10:20, :, 30:34] = 6.0
    with_bone = echoes(bone, PROBE, np.random.default_rng(0))
    without = echoes(clear, PROBE, np.random.default_rng(0))
    deeper = slice(45, 75)
    assert np.median(with_bone[12:18, :, deeper]) < np.median(without[12:18, :, deeper]) - 15.0
    np.testing.assert_allclose(
        np.diff([np.median(v[30:, :, part]) for v in (with_bone, without) for part in (slice(5, 25), deeper)])[[0, 2]],
        0.0,
        atol=1.0,
    )
    interface = with_bone[12:18, :, 28:32].max(axis=2)
    assert np.median(interface) > np.median(with_bone[12:18, :, 5:25]) + 5.0


def test_speckle_multiplies_and_widens_with_depth() -> None:
    decibels = echoes(uniform((*PROBE.beams, 75)), PROBE, np.random.default_rng(1))
    envelope = 10.0 ** (decibels / 20.0)
    ratio = envelope[4:-4, 4:-4, 5:-5].mean() / envelope[4:-4, 4:-4, 5:-5].std()
    assert ratio == pytest.approx(1.91, abs=0.35)  # of Rayleigh's distribution, as fully developed speckle has

    def likeness(axis: int) -> float:
        values = envelope[4:-4, 4:-4, 5:-5]
        one, other = np.delete(values, 0, axis).ravel(), np.delete(values, -1, axis).ravel()
        return float(np.corrcoef(one, other)[0, 1])

    assert likeness(0) > 0.5 and likeness(1) > 0.5  # neighbouring beams share scatterers
    assert likeness(2) < likeness(0)


def test_same_seed_same_image_in_the_world_space_of_the_ct() -> None:
    ct = limb()
    deep = replace(PROBE, depth=80.0)
    first, again, other = (simulate(ct, "ct", np.random.default_rng(seed), deep) for seed in (3, 3, 4))
    assert np.array_equal(sitk.GetArrayFromImage(first), sitk.GetArrayFromImage(again))
    assert first.GetOrigin() == again.GetOrigin()
    assert first.GetOrigin() != other.GetOrigin()
    direction = np.asarray(first.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(direction @ direction.T, np.eye(3), atol=1e-9)
    bright = sitk.Resample(first, ct)
    values, hu = sitk.GetArrayFromImage(bright), sitk.GetArrayFromImage(ct)
    near, flesh = values[(hu > 800) & (values > 0)], values[(hu < 100) & (hu > 0) & (values > 0)]
    assert np.percentile(near, 90) > np.percentile(flesh, 90) + 30  # bone is where it is in the CT


def test_probe_lies_on_the_skin_and_looks_inwards() -> None:
    ct = limb()
    body = sitk.Cast(ct > -500, sitk.sitkUInt8)
    for seed in range(5):
        contact, axes = place(body, np.random.default_rng(seed), 0.0)
        assert np.hypot(contact[0] - 94.5, contact[1] - 94.5) == pytest.approx(26 * 3.0, abs=4.0)
        assert axes[:, 2] @ (np.array([94.5, 94.5, 43.5]) - contact) > 0
