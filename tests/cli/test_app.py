# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.metadata
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


def test_every_command_has_a_short_help_and_the_program_a_version() -> None:
    for arguments in ([], *([command.name] for command in app.registered_commands if command.name)):
        assert run(app, [*arguments, "-h"]).output == run(app, [*arguments, "--help"]).output
    names = [command.callback.__name__ for command in app.registered_commands if command.callback]
    assert all(run(app, [name, "-h"]).exit_code == 0 for name in names) and len(names) > 9
    assert run(app, ["--version"]).output == f"disa {importlib.metadata.version('itk-disa')}\n"


def test_what_is_wrong_is_one_whole_line_where_it_is_piped() -> None:
    name = "[b]a[/b] " + 30 * "long/"
    result = run(app, ["info", "model.onnx", name])
    assert result.exit_code == 2 and result.stderr.splitlines()[-1].endswith(f"({name})")


@pytest.mark.parametrize("option", [["--stride", "3"], ["--device", "tpu"], ["--spacing", "x"], ["--output"]])
def test_a_wrong_value_is_said_in_words_of_our_own(option: list[str]) -> None:
    result = run(app, ["features", "a.nii", "-o", "a.disa", *option])
    assert result.exit_code == 2 and option[0] in result.stderr.splitlines()[-1]
    assert "alue error" not in result.stderr


def test_help_loads_nothing_that_is_slow() -> None:
    code = (
        "import sys\nfrom disa.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n"
        "    print(sorted({'numpy', 'SimpleITK', 'itk', 'onnxruntime', 'torch', 'distributed'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "register" in ran.stdout and ran.stdout.splitlines()[-1] == "[]"


def test_output_that_cannot_be_written_is_one_line() -> None:
    script = "import sys; from disa.cli.app import app; app(sys.argv[1:])"
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", script, "--version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.returncode == 1
    assert ran.stderr == "disa: standard output: cannot be written: No space left on device\n"
