# SPDX-License-Identifier: Apache-2.0
"""Two models joined into one: inner products against those of both models, and the shipped files in use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.network.models import describe_model, find_model
from disa.network.providers import CPU
from disa.network.session import run_network
from helpers.displaced import displaced_images, error_of
from helpers.images import structured_image


def descriptors(model: str, volume: np.ndarray, stride: int = 4) -> np.ndarray:
    return run_network(volume, find_model(model, stride), stride, [CPU]).reshape(-1, 16)


def volumes() -> list[np.ndarray]:
    """Two of different structure, zero mean and unit deviation."""
    made = [sitk.GetArrayFromImage(structured_image((40, 36, 44), seed=seed)) for seed in (1, 2)]
    return [((pixels - pixels.mean()) / pixels.std()).astype(np.float32) for pixels in made]


def test_products_are_about_the_sum_of_both_models() -> None:
    one, other = volumes()
    products = {name: descriptors(name, one) @ descriptors(name, other).T for name in ("disa-lc2", "mind-ssc")}
    found = descriptors("disa-mind", one) @ descriptors("disa-mind", other).T
    parts = np.stack([products["disa-lc2"].ravel(), products["mind-ssc"].ravel()], axis=1)
    shares, *_ = np.linalg.lstsq(parts, found.ravel(), rcond=None)
    assert (shares > 0).all()
    together = np.corrcoef(parts @ shares, found.ravel())[0, 1]
    assert together > 0.97
    assert together > max(np.corrcoef(alone, found.ravel())[0, 1] for alone in parts.T) + 0.005


def test_where_16_axes_are_enough_products_are_the_sum_by_shares() -> None:
    pytest.importorskip("onnx", reason="the module writes graphs with onnx")
    from disa.sealing.joined import SHARES, joined_projection

    rng = np.random.default_rng(3)
    outputs = [rng.normal(size=(500, 8)) @ rng.normal(size=(8, 16)) for _ in range(2)]
    weights = rng.random(500)
    projection = joined_projection(outputs, [weights])
    assert projection.kept == pytest.approx(1.0)
    energies = [np.average((of**2).sum(axis=1), weights=weights) for of in outputs]
    expected = sum(share / energy * of @ of.T for share, energy, of in zip(SHARES, energies, outputs, strict=True))
    found = np.concatenate(outputs, axis=1) @ projection.matrix
    ratio = (found @ found.T) / expected
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-6)
    assert np.linalg.norm(found, axis=1).max() == pytest.approx(1.0)


def test_strides_are_of_one_model_and_agree_where_they_meet() -> None:
    about = [describe_model(find_model("disa-mind", stride)) for stride in (4, 2, 1)]
    assert len({of["weights_sha256"] for of in about}) == 1
    assert {of["name"] for of in about} == {"disa-mind"}
    volume = volumes()[0]
    dense = run_network(volume, find_model("disa-mind", 2), 2, [CPU])[::2, ::2, ::2].reshape(-1, 16)
    sparse = descriptors("disa-mind", volume)
    assert np.corrcoef(dense.ravel(), sparse.ravel())[0, 1] > 0.9


def test_in_one_call_it_brings_a_negative_onto_its_image() -> None:
    fixed, moving, centre = displaced_images()
    result = disa.register(fixed, moving, model="disa-mind")
    assert error_of(result.transform, centre) < 1.0


def test_no_images_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the module writes graphs with onnx")
    from disa.sealing.joined import write_joined

    with pytest.raises(disa.ModelError, match="no images; expected some that end with"):
        write_joined(tmp_path, [])
