# SPDX-License-Identifier: Apache-2.0
"""MIND-SSC as a model: the shipped graphs against the paper's definition, voxel by voxel, and in use."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

import disa
from disa.network.models import describe_model, find_model
from disa.network.providers import CPU
from disa.network.session import run_network
from helpers.displaced import TRUTH, displaced_images, error_of
from helpers.known_pose import distance

Array = npt.NDArray[np.float64]


def patch(volume: Array, centre: tuple[int, ...]) -> Array:
    """5 voxels a side, of a volume that goes on beyond its border as the border is."""
    rows = [np.arange(c - 2, c + 3).clip(0, n - 1) for c, n in zip(centre, volume.shape, strict=True)]
    return volume[np.ix_(*rows)]


def similarities(volume: Array, place: tuple[int, ...]) -> Array:
    """The 12 similarities of one voxel, term by term."""
    six = [(-2, 0, 0), (2, 0, 0), (0, -2, 0), (0, 2, 0), (0, 0, -2), (0, 0, 2)]
    pairs = [(a, b) for a, b in itertools.combinations(six, 2) if tuple(-k for k in a) != b]
    patches = {step: patch(volume, tuple(np.add(place, step))) for step in six}
    distances = np.array([((patches[a] - patches[b]) ** 2).mean() for a, b in pairs])
    distances -= distances.min()
    return np.asarray(np.exp(-distances / max(distances.mean(), 1e-3)))


def descriptor(volume: Array, cell: tuple[int, ...], stride: int) -> Array:
    """Mean over the cube about a cell, less its own mean and at unit length."""
    half = stride // 2
    total, weights = np.zeros(12), 0.0
    for step in itertools.product(range(-half, half + 1), repeat=3):
        weight = float(np.prod([0.5 if half and abs(s) == half else 1.0 for s in step]))
        inside = [min(max(c * stride + s, 0), n - 1) for c, s, n in zip(cell, step, volume.shape, strict=True)]
        total += weight * similarities(volume, tuple(inside))
        weights += weight
    total = total / weights
    total -= total.mean()
    return total / np.linalg.norm(total)


@pytest.mark.parametrize("stride", [4, 2, 1])
def test_the_shipped_graph_is_the_papers_descriptor_at_borders_too(stride: int) -> None:
    volume = np.random.default_rng(4).normal(size=(9, 7, 10)).astype(np.float32)
    found = run_network(volume, find_model("mind-ssc", stride), stride, [CPU])
    assert found.shape == (*(-(-n // stride) for n in volume.shape), 16)
    assert not found[..., 12:].any()
    last = tuple(n - 1 for n in found.shape[:3])
    for cell in {(0, 0, 0), last, (last[0], 0, last[2] // 2), tuple(n // 2 for n in last)}:
        expected = descriptor(volume.astype(float), cell, stride)
        np.testing.assert_allclose(found[cell][:12], expected, atol=2e-5)


def test_the_shipped_files_are_what_the_generator_writes() -> None:
    pytest.importorskip("onnx", reason="the generator needs onnx")
    import onnx

    from disa.sealing.mind_ssc import STRIDES, mind_ssc_model

    for stride in STRIDES:
        shipped = onnx.load_from_string(find_model("mind-ssc", stride).read_bytes())
        made = onnx.load_from_string(mind_ssc_model(stride))
        assert shipped.graph == made.graph
        assert list(shipped.metadata_props) == list(made.metadata_props)


def test_where_all_is_of_one_intensity_it_is_0() -> None:
    volume = np.full((9, 9, 9), 0.7, np.float32)
    assert not run_network(volume, find_model("mind-ssc", 2), 2, [CPU]).any()


def test_slabs_give_what_the_whole_volume_gives() -> None:
    volume = np.random.default_rng(5).normal(size=(130, 9, 9)).astype(np.float32)
    path = find_model("mind-ssc", 4)
    slabs = run_network(volume, path, 4, [CPU], maximum_voxels=81 * 100)
    np.testing.assert_allclose(slabs, run_network(volume, path, 4, [CPU]), atol=1e-6)


def test_it_says_what_it_is(tmp_path: Path) -> None:
    about = describe_model(find_model("mind-ssc", 4))
    assert (about["name"], about["stride"], about["weights"]) == ("mind-ssc", "4", "even")
    assert about["weights_sha256"] == describe_model(find_model("mind-ssc", 1))["weights_sha256"]


def test_descriptors_weigh_alike_and_are_of_unit_length() -> None:
    features = disa.extract_features(displaced_images()[0], model="mind-ssc")
    assert set(np.unique(features.weights)) <= {0.0, 1.0}
    lengths = np.linalg.norm(features.data.astype(float) * features.scale, axis=-1)[features.weights > 0]
    np.testing.assert_allclose(lengths, 1.0, atol=0.02)


def test_it_is_never_compared_with_another_models_descriptors() -> None:
    fixed, moving, _ = displaced_images()
    other = disa.extract_features(moving)
    with pytest.raises(disa.DISAError, match="network"):
        disa.similarity_map(disa.extract_features(fixed, model="mind-ssc"), (0.0, 20.0, 30.0), other)


def test_in_one_call_it_brings_a_negative_onto_its_image() -> None:
    fixed, moving, centre = displaced_images()
    result = disa.register(fixed, moving, model="mind-ssc")
    assert error_of(result.transform, centre) < 1.0


def test_by_simpleitk_it_brings_a_negative_onto_its_image() -> None:
    fixed, moving, centre = displaced_images()
    transform = sitk.Euler3DTransform(centre, 0.0, 0.0, 0.0)
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA(model="mind-ssc")
    method.SetOptimizerAsLBFGS2()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([0, 0])
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)
    assert error_of(transform, centre) < 1.5


def test_by_itk_it_brings_a_negative_onto_its_image() -> None:
    import itk
    from helpers.itk_metric import ImageType
    from helpers.itk_registration import displaced_pair, method_of, rigid

    fixed, moving, centre = displaced_pair()
    metric = itk.DISAImageToImageMetricv4[ImageType, ImageType].New()
    metric.SetModel("mind-ssc")
    transform = rigid(centre)
    method = method_of((fixed, moving, centre), metric, itk.LBFGS2Optimizerv4Template[itk.D].New(), transform)
    method.Update()
    assert error_of(transform, centre) < 1.5


def test_deformable_registration_takes_it() -> None:
    fixed, moving, centre = displaced_images()
    start = sitk.Euler3DTransform(centre, *TRUTH[:3], np.add(TRUTH[3:], (3.0, -3.0, 2.0)).tolist())
    result = disa.deformable_register(fixed, moving, initial_transform=start, model="mind-ssc", stride=4)
    truth = sitk.Euler3DTransform(centre, *TRUTH[:3], TRUTH[3:])
    inner = np.asarray(centre) + 20.0 * (np.array(list(np.ndindex(3, 3, 3))) - 1)
    assert distance(result.transform, truth, inner) < 0.3 * distance(start, truth, inner)
