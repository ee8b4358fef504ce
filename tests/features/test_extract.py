from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import rotation, structured_image

import disa
from disa.features.extract import local_variance
from disa.features.resampling import covering_grid, resample, smooth_for
from disa.network.models import describe_model, find_model, shipped_models
from disa.network.seal import sealed
from disa.network.session import run_network


def test_data_is_int8_with_one_scale_and_within_one_step_of_float(image: sitk.Image) -> None:
    quantized = disa.extract_features(image)
    exact = disa.extract_features(image, quantize=False)
    assert quantized.data.dtype == np.int8 and quantized.data.shape[-1] == 16
    assert np.abs(quantized.data.astype(int)).max() == 127
    np.testing.assert_allclose(quantized.data * np.float32(quantized.scale), exact.data, atol=0.51 * quantized.scale)
    assert np.linalg.norm(exact.data, axis=-1).max() <= 1 + 1e-5


def test_the_network_is_the_same_at_every_stride(image: sitk.Image) -> None:
    digest = describe_model(find_model("disa-lc2", 4))["weights_sha256"]
    for stride in (4, 2):
        assert disa.extract_features(image, stride=stride).network == digest[:8]


def test_descriptors_lie_where_the_frame_says(oblique_image: sitk.Image) -> None:
    """A bright ball's largest descriptors and weights lie around it in physical space."""
    blank = oblique_image * 0
    centre = blank.TransformContinuousIndexToPhysicalPoint((30.0, 15.0, 22.0))
    ball = sitk.GaussianSource(
        sitk.sitkFloat32, blank.GetSize(), (6.0,) * 3, centre, 100.0, blank.GetOrigin(), blank.GetSpacing(),
        blank.GetDirection(),
    )  # fmt: skip
    features = disa.extract_features(ball)
    frame = np.asarray(features.direction).reshape(3, 3) * features.spacing
    z, y, x = np.indices(features.weights.shape)
    points = np.stack([x, y, z], -1) @ frame.T + features.origin
    found = (points * features.weights[..., None]).sum((0, 1, 2)) / features.weights.sum()
    assert np.linalg.norm(found - centre) < 2.0


def test_a_turned_grid_covers_the_same_space(image: sitk.Image) -> None:
    direction = rotation(15, 25, -20)
    features = disa.extract_features(image, direction=direction)
    np.testing.assert_allclose(np.asarray(features.direction).reshape(3, 3), direction)
    frame = direction * features.spacing
    z, y, x = np.indices(features.weights.shape)
    points = (np.stack([x, y, z], -1) @ frame.T + features.origin).reshape(-1, 3)
    index = np.array([image.TransformPhysicalPointToContinuousIndex(p.tolist()) for p in points])
    inside = np.all((index >= -0.5) & (index <= np.asarray(image.GetSize()) - 0.5), axis=1)
    np.testing.assert_array_equal(np.any(features.data.reshape(-1, 16), axis=1), inside)
    assert not features.weights.reshape(-1)[~inside].any()
    corners = [image.TransformIndexToPhysicalPoint(c) for c in ((0, 0, 0), tuple(n - 1 for n in image.GetSize()))]
    cells = (np.asarray(corners) - features.origin) @ np.linalg.inv(frame).T
    assert np.all(cells >= 0) and np.all(cells <= np.asarray(features.weights.shape[::-1]) - 1)


def test_every_second_descriptor_of_stride_2_is_stride_4s(image: sitk.Image) -> None:
    coarse = disa.extract_features(image, stride=4, quantize=False)
    dense = disa.extract_features(image, stride=2, quantize=False)
    inner = (slice(2, -2),) * 3
    np.testing.assert_allclose(dense.data[::2, ::2, ::2][inner], coarse.data[inner], atol=1e-4)
    assert dense.spacing == (4.0, 4.0, 4.0) and coarse.spacing == (8.0, 8.0, 8.0)
    np.testing.assert_allclose(dense.origin, coarse.origin)


@pytest.mark.parametrize("gain", [-1.0, 0.01, 250.0])
def test_intensity_units_do_not_matter(image: sitk.Image, gain: float) -> None:
    exact = ["CPUExecutionProvider"]  # others may round to 8 bits between layers
    plain = disa.extract_features(image, quantize=False, providers=exact)
    scaled = disa.extract_features(image * gain + 1000.0, quantize=False, providers=exact)
    np.testing.assert_allclose(scaled.weights, plain.weights, rtol=1e-2, atol=1e-3)
    if gain > 0:
        np.testing.assert_allclose(scaled.data, plain.data, atol=2e-3)


@pytest.mark.parametrize("spacing", [3.0, 8.0])
def test_smoothing_over_very_many_voxels_has_its_width(spacing: float) -> None:
    """The kernel of 8 mm over voxels of 0.1 mm, 34 voxels wide, is more than one pass can hold."""
    image = sitk.Image([401, 5, 5], sitk.sitkFloat32)
    image.SetSpacing((0.1, 10.0, 10.0))
    image[200, 2, 2] = 1.0
    kernel = sitk.GetArrayFromImage(smooth_for(image, spacing))[2, 2]
    offsets = 0.1 * (np.arange(401) - 200)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-3)
    assert (kernel * offsets**2).sum() == pytest.approx(
        (spacing**2 - 0.1**2) / (8 * np.log(2)), rel=0.1
    )  # 1 % of its tails is cut off


def test_local_variance_is_each_cubes_variance(image: sitk.Image) -> None:
    pixels = sitk.GetArrayFromImage(image)
    weights = local_variance(image, 3)
    for z, y, x in ((5, 6, 7), (20, 20, 20), (30, 12, 40), (0, 0, 0), (1, 20, 2)):
        cube = pixels[max(z - 3, 0) : z + 4, max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4].astype(np.float64)
        assert weights[z, y, x] == pytest.approx(cube.var(), rel=1e-3)
    for stride in (2, 4):
        np.testing.assert_array_equal(local_variance(image, 3, stride), weights[::stride, ::stride, ::stride])


def test_slabs_give_the_whole_volumes_descriptors() -> None:
    volume = np.random.default_rng(0).normal(size=(125, 21, 26)).astype(np.float32)
    for stride in (4, 2):
        path = find_model("disa-lc2", stride)
        whole = run_network(volume, path, stride)
        slabs = run_network(volume, path, stride, maximum_voxels=76 * 21 * 26)
        assert whole.shape == slabs.shape
        np.testing.assert_allclose(slabs, whole, atol=1e-5)


def test_resampling_does_not_alias() -> None:
    """Stripes too fine for the grid vanish; coarse ones stay."""
    z, _, _ = np.indices((64, 64, 64))
    for period, low, high in ((2.5, 0.0, 0.12), (16.0, 0.8, 1.0)):
        stripes = sitk.GetImageFromArray(np.sin(2 * np.pi * z / period).astype(np.float32))
        grid = covering_grid(stripes, 2.0)
        values = sitk.GetArrayFromImage(resample(smooth_for(stripes, 2.0), grid))[12:-12, 12:-12, 12:-12]
        assert low <= np.abs(values).max() <= high


def test_coarse_axes_are_not_blurred() -> None:
    image = structured_image()
    image.SetSpacing((1.0, 2.0, 5.0))
    smooth = sitk.GetArrayFromImage(smooth_for(image, 2.0))
    pixels = sitk.GetArrayFromImage(image)
    assert np.abs(smooth - pixels).max() > 1.0
    np.testing.assert_allclose(smooth.mean(axis=2), pixels.mean(axis=2), atol=40.0)
    image.SetSpacing((2.0, 2.0, 5.0))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(smooth_for(image, 2.0)), pixels)


def test_the_shipped_model_is_found_by_name_and_by_path() -> None:
    assert shipped_models() == ["disa-lc2"]
    path = find_model("disa-lc2", 4)
    assert find_model(path, 2) == find_model("disa-lc2", 2)


@pytest.mark.parametrize(
    ("model", "stride", "expected"),
    [
        ("no-such-model", 4, "expected one of disa-lc2"),
        ("disa-lc2", 3, "strides 4, 2, 1"),
        ("/nowhere/net.onnx", 4, "no such model file"),
    ],
)
def test_a_missing_model_is_named(image: sitk.Image, model: str, stride: int, expected: str) -> None:
    with pytest.raises(disa.ModelError, match=expected):
        disa.extract_features(image, model=model, stride=stride)


def test_foreign_networks_are_refused_in_one_line(image: sitk.Image, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="writes foreign networks with the onnx package")
    broken = tmp_path / "broken-stride4.onnx"
    broken.write_bytes(sealed(b"not a network"))
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 3])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    other = tmp_path / "other-stride4.onnx"
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    other.write_bytes(sealed(model.SerializeToString()))
    unsealed = tmp_path / "unsealed.onnx"
    unsealed.write_bytes(model.SerializeToString())
    mislabelled = tmp_path / "mine.onnx"
    mislabelled.write_bytes(find_model("disa-lc2", 2).read_bytes())
    for path, expected in (
        (broken, "not a network"),
        (other, "not a DISA network"),
        (unsealed, "expected a file written by disa export"),
        (mislabelled, "the file has stride 2"),
    ):
        with pytest.raises(disa.ModelError, match=expected) as caught:
            disa.extract_features(image, model=path)
        assert path.name in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_provider_is_refused(image: sitk.Image) -> None:
    with pytest.raises(disa.ModelError, match=r"expected one of .*CPUExecutionProvider"):
        disa.extract_features(image, providers=["NoSuchExecutionProvider"])


def test_a_missing_onnx_runtime_is_said(image: sitk.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    from disa.network.session import open_session

    open_session.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(disa.ModelError, match=r"pip install 'itk-disa\[openvino\]'"):
        disa.extract_features(image)


def test_importing_disa_loads_neither_itk_nor_torch() -> None:
    import subprocess

    code = "import sys, disa; print(sorted({'itk', 'torch', 'onnxruntime', 'SimpleITK'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_samples_lie_symmetrically_inside_the_image(image: sitk.Image) -> None:
    """An image of whole cells has cells on both of two opposite borders; both are left out."""
    weights = disa.extract_features(image[:40, :40, :40], spacing=2.0).weights
    for axis in range(3):
        layers = weights.max(axis=tuple(a for a in range(3) if a != axis))
        assert layers.size == 11
        assert layers[0] == layers[-1] == 0.0
        assert np.all(layers[1:-1] > 0)
