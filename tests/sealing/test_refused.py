# SPDX-License-Identifier: Apache-2.0
"""Networks that cannot be models are refused in one line, and nothing is written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

pytest.importorskip("onnx", reason="disa seal needs onnx")

import onnx

import disa
from disa.cli.app import app
from disa.sealing.options import SealOptions
from disa.sealing.seal import seal
from helpers.commands import run
from helpers.foreign_networks import DYNAMIC, edge_network, save, single

node = onnx.helper.make_node
KERNELS: dict[str, npt.ArrayLike] = {"kernels": np.ones((2, 1, 3, 3, 3), np.float32)}
TWO_D: dict[str, npt.ArrayLike] = {"kernels": np.ones((2, 1, 3, 3), np.float32)}


def two_inputs(path: Path) -> Path:
    single(path, "Conv", KERNELS)
    model = onnx.load(path)
    model.graph.input.append(onnx.helper.make_tensor_value_info("other", onnx.TensorProto.FLOAT, DYNAMIC))
    onnx.save(model, path)
    return path


def two_outputs(path: Path) -> Path:
    single(path, "Conv", KERNELS)
    model = onnx.load(path)
    model.graph.node.append(node("Abs", ["found"], ["more"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("more", onnx.TensorProto.FLOAT, None))
    onnx.save(model, path)
    return path


def integers(path: Path) -> Path:
    save([node("Cast", ["volume"], ["found"], to=onnx.TensorProto.FLOAT)], {}, path)
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT32
    onnx.save(model, path)
    return path


def written(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


CASES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda path: path, "no such file"),
    "empty": (written(b""), "not an ONNX network"),
    "text": (written(b"no network at all"), "not an ONNX network"),
    "two inputs": (two_inputs, r"2 inputs \(volume, other\), expected one"),
    "two outputs": (two_outputs, r"2 outputs \(found, more\), expected one"),
    "integers": (integers, "input volume is int32; expected float"),
    "2-D": (lambda path: single(path, "Conv", TWO_D, volume=(1, 1, "y", "x")), "4 axes; expected 5"),
    "two channels": (lambda path: single(path, "Abs", volume=(1, 2, "z", "y", "x")), "channel axis of 2; expected 1"),
    "batch": (lambda path: single(path, "Abs", volume=(2, 1, "z", "y", "x")), "batch axis of 2; expected 1"),
    "fixed size": (lambda path: single(path, "Abs", volume=(1, 1, 64, 64, 64)), "fixed at 64 x 64 x 64 voxels"),
    "an operator that there is not": (lambda path: single(path, "Frobnicate"), "not a network that ONNX Runtime reads"),
    "a number for all": (lambda path: single(path, "GlobalAveragePool"), r"expected \(1, C, \d+, \d+, \d+\)"),
    "another stride": (lambda path: edge_network(path, stride=2), "as stride 1 has it; its stride is 2"),
    "cells lost at the border": (
        lambda path: single(path, "Conv", KERNELS),
        r"gave \(1, 2, 62, .*expected \(1, C, 64,",
    ),
    "NaN": (lambda path: save([node("Log", ["volume"], ["found"])], {}, path), "gave NaN or infinity"),
    "nothing but zeros": (
        lambda path: single(path, "Mul", {"none": np.float32(0)}),
        "gave the same for every place",
    ),
    "more than 16 channels": (
        lambda path: edge_network(path, 17, 1),
        "17 channels, expected 16 or fewer; give volumes",
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_it_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    make, expected = CASES[name]
    network = make(tmp_path / "net.onnx")
    with pytest.raises(disa.ModelError, match=expected) as caught:
        seal(network, tmp_path / "mine.onnx", options=SealOptions(stride=1))
    assert str(caught.value).startswith(f"{network}: ") and "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"] * network.is_file()


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    network = edge_network(tmp_path / "net.onnx", stride=1)
    for output, expected in (
        (network, "is the network itself"),
        (tmp_path / "mine.bin", r"expected a name that ends with \.onnx"),
        (tmp_path / "none" / "mine.onnx", "no such folder"),
    ):
        with pytest.raises(disa.ModelError, match=expected):
            seal(network, output, options=SealOptions(stride=1))


def test_volumes_are_checked(tmp_path: Path) -> None:
    network = edge_network(tmp_path / "net.onnx", stride=1)
    pixels = np.zeros((130, 12, 12), np.float32)
    pixels[:4] = np.random.default_rng(0).normal(size=(4, 12, 12))
    image = sitk.GetImageFromArray(pixels)
    image.SetSpacing((2.0, 2.0, 2.0))
    for volume, expected in ((image, "in its middle are of one value"), (tmp_path / "none.nii", "none.nii")):
        with pytest.raises(disa.ImageError, match=expected):
            seal(network, tmp_path / "mine.onnx", [volume], SealOptions(stride=1))


def test_options_are_checked(tmp_path: Path) -> None:
    with pytest.raises(disa.RegistrationError, match="stride: expected 4, 2 or 1"):
        SealOptions(stride=3)
    with pytest.raises(disa.ImageError, match="spacing: expected mm above 0"):
        SealOptions(spacing=0.0)
    with pytest.raises(disa.ModelError, match=r"normalisation: expected one of Normalisation\.DEVIATION"):
        SealOptions(normalisation="range")  # type: ignore[arg-type]


def test_the_command_says_what_is_missing_in_one_line(tmp_path: Path) -> None:
    result = run(app, ["seal", str(tmp_path / "none.onnx"), "-o", str(tmp_path / "mine.onnx")])
    assert (
        result.exit_code == 1
        and result.output == f"disa: {tmp_path}/none.onnx: no such file; expected a network in ONNX format\n"
    )


def test_without_onnx_the_command_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['onnx'] = None\nfrom disa.cli.app import app\n"
        f"app(['seal', 'net.onnx', '-o', {str(tmp_path / 'mine.onnx')!r}])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "disa: seal needs onnx: pip install 'onnx>=1.16'\n"
