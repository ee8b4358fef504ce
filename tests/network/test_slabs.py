# SPDX-License-Identifier: Apache-2.0
"""Volumes that do not fit into the memory that there may be go through the network in parts, or are refused at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

import disa
from disa.network import session
from disa.network.models import find_model
from disa.network.providers import CPU
from disa.network.session import run_network
from disa.network.slabs import in_slabs
from helpers.images import structured_image

FloatArray = npt.NDArray[np.float32]

RADIUS = 24


def box_means(volume: FloatArray) -> FloatArray:
    """In place of a network: means over all that a descriptor may see, at every second voxel."""
    means = sitk.GetArrayFromImage(sitk.BoxMean(sitk.GetImageFromArray(volume.astype(np.float64)), [RADIUS] * 3))
    return np.repeat(means[::2, ::2, ::2, None], 16, axis=3).astype(np.float32)


@pytest.mark.parametrize("shape", [(110, 104, 98), (4, 200, 190)])
def test_parts_along_every_axis_give_the_whole_volumes_descriptors(shape: tuple[int, int, int]) -> None:
    volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    seen: list[tuple[int, ...]] = []

    def run(part: FloatArray) -> FloatArray:
        seen.append(part.shape)
        return box_means(part)

    most = min(shape[0], 73) * 73 * 73
    found = in_slabs(run, volume, 2, RADIUS, most)
    np.testing.assert_allclose(found, box_means(volume), atol=1e-6)
    assert len(seen) >= 4 and max(int(np.prod(part)) for part in seen) <= most
    assert [min(part[axis] for part in seen) < shape[axis] for axis in range(3)] == [n > 73 for n in shape]


def test_less_memory_gives_the_same_descriptors_in_more_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = np.random.default_rng(1).normal(size=(110, 80, 84)).astype(np.float32)
    path = find_model("disa-lc2", 4)
    sizes: list[int] = []
    run = session._run
    monkeypatch.setattr(session, "_run", lambda *of: (sizes.append(of[2].size), run(*of))[1])
    whole = run_network(volume, path, 4, [CPU])
    assert sizes == [volume.size]
    monkeypatch.setenv("DISA_MEMORY", "200M")
    parts = run_network(volume, path, 4, [CPU])
    assert len(sizes) > 2 and max(sizes[1:]) * 5e9 / 12e6 < 200 * 2**20
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_what_does_not_fit_is_refused_before_the_image_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.nii"
    sitk.WriteImage(structured_image((48, 44, 40)), str(path))
    monkeypatch.setenv("DISA_MEMORY", "3M")
    with monkeypatch.context() as patched:
        patched.setattr("disa.features.side.smooth_for", lambda *_: pytest.fail("prepared"))
        with pytest.raises(disa.ImageError) as caught:
            disa.extract_features(path)
    assert str(caught.value) == (
        f"{path}: 65 x 61 x 57 voxels for the network take about 4 MB of memory, the limit is 3 MB; use a larger "
        "spacing, crop the image, or raise the environment variable DISA_MEMORY"
    )
    monkeypatch.setenv("DISA_MEMORY", "60M")
    with pytest.raises(disa.ImageError, match=r"take about \d+ MB of memory, the limit is 60 MB; use a larger spacing"):
        disa.extract_features(path, providers=[CPU])
