# SPDX-License-Identifier: Apache-2.0
"""Runs of the network: slabs, and providers."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.network.models import find_model
from disa.network.session import run_network


@pytest.mark.parametrize("shape", [(125, 21, 26), (21, 125, 26), (26, 21, 125)])
def test_slabs_give_the_whole_volumes_descriptors(shape: tuple[int, int, int]) -> None:
    """Along z, or along the longest axis of a plate that no slab along z would make smaller."""
    volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for stride in (4, 2):
        path = find_model("disa-lc2", stride)
        whole = run_network(volume, path, stride)
        slabs = run_network(volume, path, stride, maximum_voxels=76 * 21 * 26)
        assert whole.shape == slabs.shape
        np.testing.assert_allclose(slabs, whole, atol=1e-5)


def test_an_unknown_provider_is_refused(image: sitk.Image) -> None:
    with pytest.raises(disa.ModelError, match=r"expected one of .*CPUExecutionProvider"):
        disa.extract_features(image, providers=["NoSuchExecutionProvider"])
