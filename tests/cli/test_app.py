# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from disa.cli.app import app
from disa.network.models import find_model
from helpers.commands import run


@pytest.mark.parametrize("stride", [4, 2])
def test_info_prints_what_the_file_says(stride: int) -> None:
    result = run(app, ["info", str(find_model("disa-lc2", stride))])
    assert result.exit_code == 0
    for expected in ("disa-lc2", "zero mean, unit standard deviation", "Apache-2.0", "weights_sha256"):
        assert expected in result.output


@pytest.mark.parametrize("content", [None, b"", b"not a network"])
def test_info_refuses_what_is_no_model_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.onnx"
    if content is not None:
        path.write_bytes(content)
    result = run(app, ["info", str(path)])
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert str(path) in result.output


def test_a_command_line_that_is_wrong_exits_with_2() -> None:
    assert run(app, ["info"]).exit_code == 2
    assert run(app, ["export", "run.pt", "-o", "model.onnx", "--stride", "3"]).exit_code == 2


def test_help_loads_nothing_that_is_slow() -> None:
    code = (
        "import sys\nfrom disa.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n"
        "    print(sorted({'numpy', 'SimpleITK', 'itk', 'onnxruntime', 'torch', 'distributed'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "register" in ran.stdout and ran.stdout.splitlines()[-1] == "[]"
