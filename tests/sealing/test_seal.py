# SPDX-License-Identifier: Apache-2.0
"""Networks that are not ours become models: against NumPy, and in use in every door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("onnx", reason="disa seal needs onnx")

import disa
from disa.cli.app import app
from disa.network.models import describe_model
from disa.network.providers import CPU
from disa.network.session import run_network
from disa.network.traits import Normalisation
from disa.sealing.options import SealOptions
from disa.sealing.samples import samples_of
from disa.sealing.seal import seal
from helpers.commands import run
from helpers.displaced import TRUTH, displaced_images, error_of
from helpers.foreign_networks import edge_kernels, edge_network, edges, pyramid_network, single, whole_network
from helpers.images import structured_image
from helpers.known_pose import distance

VOLUME = np.random.default_rng(8).normal(size=(21, 18, 25)).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 8 channels and stride 2."""
    folder = tmp_path_factory.mktemp("sealed")
    seal(edge_network(folder / "edges.onnx"), folder / "mine.onnx", options=SealOptions(stride=2))
    return folder / "mine.onnx"


def affine_residual(found: np.ndarray, outputs: np.ndarray) -> float:
    """How far descriptors are from outputs less a mean, all divided by one number."""
    one, other = (of.reshape(-1, of.shape[-1]) - of.mean(axis=(0, 1, 2)) for of in (found, outputs))
    scale = (one * other).sum() / (other * other).sum()
    assert scale > 0
    return float(np.abs(one - scale * other).max())


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("stride", [4, 2, 1])
def test_descriptors_are_the_networks_channels_centred_and_scaled(
    tmp_path: Path, stride: int, channels_last: bool
) -> None:
    network = edge_network(tmp_path / "edges.onnx", 8, stride, channels_last)
    options = SealOptions(stride=stride)
    seal(network, tmp_path / "mine.onnx", options=options)
    found = run_network(VOLUME, tmp_path / "mine.onnx", stride, [CPU])
    assert found.shape == (*(-(-n // stride) for n in VOLUME.shape), 16) and not found[..., 8:].any()
    short = np.linalg.norm(found, axis=-1) < 0.999
    outputs = edges(VOLUME, edge_kernels(8), stride)
    assert short.mean() > 0.9
    assert affine_residual(found[short][None, None, :, :8], outputs[short][None, None]) < 1e-5
    (sample,) = samples_of((), options)
    lengths = np.linalg.norm(run_network(sample.volume, tmp_path / "mine.onnx", stride, [CPU]), axis=-1)
    assert lengths.max() == pytest.approx(1.0, abs=1e-4)
    mean = np.average(
        edges(sample.volume, edge_kernels(8), stride).reshape(-1, 8), axis=0, weights=sample.weights.ravel()
    )
    at_mean = np.average(
        run_network(sample.volume, tmp_path / "mine.onnx", stride, [CPU]).reshape(-1, 16),
        axis=0,
        weights=sample.weights.ravel(),
    )
    assert mean.min() > 0.01 and np.abs(at_mean).max() < 1e-4


def test_more_channels_are_projected_as_a_singular_value_decomposition_does(tmp_path: Path) -> None:
    network = edge_network(tmp_path / "edges.onnx", 32)
    images = [structured_image(seed=seed) for seed in (1, 2)]
    options = SealOptions(stride=2)
    made = seal(network, tmp_path / "mine.onnx", images, options)
    samples = samples_of(images, options)
    rows = np.concatenate([edges(s.volume, edge_kernels(32), 2).reshape(-1, 32) for s in samples]).astype(float)
    weights = np.concatenate([s.weights.ravel() for s in samples]).astype(float)
    centred = rows - np.average(rows, axis=0, weights=weights)
    _, values, directions = np.linalg.svd(centred * np.sqrt(weights)[:, None], full_matrices=False)
    assert made.kept == pytest.approx((values[:16] ** 2).sum() / (values**2).sum(), abs=1e-4) and made.kept < 1
    expected = centred @ directions[:16].T
    expected /= np.linalg.norm(expected, axis=1).max()
    found = np.concatenate([run_network(s.volume, tmp_path / "mine.onnx", 2, [CPU]).reshape(-1, 16) for s in samples])
    chosen = np.random.default_rng(0).choice(len(rows), 300, replace=False)
    np.testing.assert_allclose(found[chosen] @ found[chosen].T, expected[chosen] @ expected[chosen].T, atol=1e-4)


def test_wider_strides_are_means_over_cubes(model: Path) -> None:
    own, wide = (run_network(VOLUME, model, stride, [CPU]) for stride in (2, 4))
    padded = np.pad(own, [(1, 1)] * 3 + [(0, 0)], mode="edge")
    for cell in np.ndindex(wide.shape[:3]):
        cube = padded[tuple(slice(2 * c, 2 * c + 3) for c in cell)]
        shares = np.einsum("i,j,k->ijk", *[[0.25, 0.5, 0.25][:n] for n in cube.shape[:3]])
        np.testing.assert_allclose(wide[cell], np.tensordot(shares, cube, 3), atol=1e-5)


@pytest.mark.parametrize(("own", "stride"), [(4, 2), (4, 1), (2, 1)])
def test_closer_strides_are_the_network_on_shifted_volumes(tmp_path: Path, own: int, stride: int) -> None:
    seal(edge_network(tmp_path / "edges.onnx", 8, own), tmp_path / "mine.onnx", options=SealOptions(stride=own))
    found = run_network(VOLUME, tmp_path / "mine.onnx", stride, [CPU])
    outputs = edges(VOLUME, edge_kernels(8), stride)
    assert found.shape[:3] == outputs.shape[:3]
    inner = (slice(8 // stride, -8 // stride),) * 3
    short = np.linalg.norm(found[inner], axis=-1) < 0.999
    assert affine_residual(found[inner][short][None, None, :, :8], outputs[inner][short][None, None]) < 1e-5
    np.testing.assert_array_equal(
        found[:: own // stride, :: own // stride, :: own // stride],
        run_network(VOLUME, tmp_path / "mine.onnx", own, [CPU]),
    )


def test_a_network_that_needs_multiples_of_8_gets_them(tmp_path: Path) -> None:
    made = seal(pyramid_network(tmp_path / "net.onnx"), tmp_path / "mine.onnx", options=SealOptions(stride=1))
    assert (made.multiple, made.channels, made.receptive_field) == (8, 2, "whole volume")
    found = run_network(VOLUME, tmp_path / "mine.onnx", 1, [CPU])
    padded = np.pad(VOLUME, [(0, -n % 8) for n in VOLUME.shape], mode="edge")
    blocks = padded.reshape(3, 8, 3, 8, 4, 8).mean(axis=(1, 3, 5)).repeat(8, 0).repeat(8, 1).repeat(8, 2)
    outputs = np.stack([padded, blocks], -1)[:21, :18, :25]
    short = np.linalg.norm(found, axis=-1) < 0.999
    assert affine_residual(found[short][None, None, :, :2], outputs[short][None, None]) < 1e-5


def test_the_receptive_field_is_measured_and_slabs_keep_to_it(tmp_path: Path, model: Path) -> None:
    assert describe_model(model)["receptive_field"] == "7"
    long = np.random.default_rng(9).normal(size=(140, 9, 9)).astype(np.float32)
    whole = run_network(long, model, 2, [CPU])
    np.testing.assert_array_equal(run_network(long, model, 2, [CPU], maximum_voxels=81 * 90), whole)
    seal(whole_network(tmp_path / "net.onnx"), tmp_path / "all.onnx", options=SealOptions(stride=1))
    assert describe_model(tmp_path / "all.onnx")["receptive_field"] == "whole volume"
    whole = run_network(long, tmp_path / "all.onnx", 1, [CPU])
    np.testing.assert_array_equal(run_network(long, tmp_path / "all.onnx", 1, [CPU], maximum_voxels=81 * 90), whole)


@pytest.mark.parametrize("normalisation", list(Normalisation))
def test_a_network_gets_the_intensities_that_it_was_sealed_for(tmp_path: Path, normalisation: Normalisation) -> None:
    network = single(tmp_path / "net.onnx", "Mul", {"one": np.float32(1)})
    image = structured_image((25, 21, 29), seed=2)
    options = SealOptions(stride=1, normalisation=normalisation)
    seal(network, tmp_path / "mine.onnx", [image], options)
    (sample,) = samples_of([image], options)
    given = sample.volume[8:-8, 8:-8, 8:-8]
    pixels = sitk.GetArrayFromImage(image)
    if normalisation is Normalisation.DEVIATION:
        expected = (pixels - pixels.mean()) / pixels.std()
    else:
        low, high = (0, 100) if normalisation is Normalisation.RANGE else (1, 99)
        low, high = np.percentile(pixels, [low, high])
        expected = ((pixels - low) / (high - low)).clip(0, 1)
    features = disa.extract_features(
        image, model=tmp_path / "mine.onnx", stride=1, quantize=False, providers=["CPUExecutionProvider"]
    )
    seen = features.weights > 0
    found = features.data[seen][None, None, :, :1]
    assert affine_residual(found, given[seen][None, None, :, None]) < 1e-5
    assert (given.min(), given.max()) == pytest.approx((expected.min(), expected.max()), abs=1e-3)


def test_one_file_serves_all_strides_whatever_its_name(tmp_path: Path, model: Path) -> None:
    named = tmp_path / "mine-stride2.onnx"
    named.write_bytes(model.read_bytes())
    for stride in (4, 2, 1):
        features = disa.extract_features(structured_image((20, 18, 22)), model=named, stride=stride)
        assert features.spacing[0] == 2.0 * stride
        assert features.network == describe_model(model)["weights_sha256"][:8]


def test_a_sealed_model_says_what_it_is(model: Path) -> None:
    result = run(app, ["info", str(model)])
    assert result.exit_code == 0
    for expected in ("mine", "derived", "edges.onnx, 8 channels", "zero mean, unit standard deviation"):
        assert expected in result.output


def test_the_command_seals(tmp_path: Path) -> None:
    edge_network(tmp_path / "edges.onnx", 20)
    image = tmp_path / "image.nii.gz"
    sitk.WriteImage(structured_image((30, 28, 26)), str(image))
    words = ["seal", tmp_path / "edges.onnx", image, "-o", tmp_path / "mine.onnx", "--stride", "2", "--spacing", "1.5"]
    result = run(app, [*map(str, words), "--normalisation", "range", "--licence", "MIT", "--name", "ours"])
    assert result.exit_code == 0, result.output
    assert "20 channels as 16, which keep" in result.output and len(result.output.splitlines()) == 1
    about = describe_model(tmp_path / "mine.onnx")
    assert (about["name"], about["licence"], about["spacing_mm"]) == ("ours", "MIT", "1.5")
    assert about["normalisation"] == "least 0, greatest 1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["edges.onnx", "image.nii.gz", "mine.onnx"]


def test_in_one_call_it_brings_a_negative_onto_its_image(model: Path) -> None:
    fixed, moving, centre = displaced_images()
    result = disa.register(fixed, moving, model=model)
    assert error_of(result.transform, centre) < 1.5


def test_by_simpleitk_it_brings_a_negative_onto_its_image(model: Path) -> None:
    fixed, moving, centre = displaced_images()
    transform = sitk.Euler3DTransform(centre, 0.0, 0.0, 0.0)
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA(model=str(model))
    method.SetOptimizerAsLBFGS2()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([0, 0])
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)
    assert error_of(transform, centre) < 2.0


def test_deformable_registration_takes_it(model: Path) -> None:
    fixed, moving, centre = displaced_images()
    start = sitk.Euler3DTransform(centre, *TRUTH[:3], np.add(TRUTH[3:], (3.0, -3.0, 2.0)).tolist())
    result = disa.deformable_register(fixed, moving, initial_transform=start, model=model, stride=4)
    truth = sitk.Euler3DTransform(centre, *TRUTH[:3], TRUTH[3:])
    inner = np.asarray(centre) + 20.0 * (np.array(list(np.ndindex(3, 3, 3))) - 1)
    assert distance(result.transform, truth, inner) < 0.3 * distance(start, truth, inner)


def test_by_itk_it_brings_a_negative_onto_its_image(model: Path) -> None:
    import itk
    from helpers.itk_metric import ImageType
    from helpers.itk_registration import displaced_pair, method_of, rigid

    fixed, moving, centre = displaced_pair()
    metric = itk.DISAImageToImageMetricv4[ImageType, ImageType].New()
    metric.SetModel(str(model))
    transform = rigid(centre)
    method = method_of((fixed, moving, centre), metric, itk.LBFGS2Optimizerv4Template[itk.D].New(), transform)
    method.Update()
    assert error_of(transform, centre) < 2.0


def test_a_network_from_pytorch_is_sealed(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("onnxscript", reason="PyTorch's export needs onnxscript")
    import warnings

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv3d(1, 6, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Conv3d(6, 10, 3, padding=1)
    ).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {2: "z", 3: "y", 4: "x"}
        torch.onnx.export(
            network, (torch.zeros(1, 1, 16, 16, 16),), str(tmp_path / "net.onnx"), input_names=["in"],
            output_names=["out"], dynamic_axes={"in": axes, "out": axes}, opset_version=17, dynamo=False,
        )  # fmt: skip
    seal(tmp_path / "net.onnx", tmp_path / "mine.onnx", options=SealOptions(stride=2))
    found = run_network(VOLUME, tmp_path / "mine.onnx", 2, [CPU])
    with torch.no_grad():
        outputs = np.moveaxis(network(torch.from_numpy(VOLUME)[None, None])[0].numpy(), 0, -1)
    short = np.linalg.norm(found, axis=-1) < 0.999
    assert affine_residual(found[short][None, None, :, :10], outputs[short][None, None]) < 1e-4
