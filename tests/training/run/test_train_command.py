# SPDX-License-Identifier: Apache-2.0
"""`disa train` as a user meets it: what it prints, what it leaves, how it exits."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("matplotlib", reason="the loss curve needs matplotlib")

import yaml  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from disa.cli.app import app  # noqa: E402
from disa.training.model.checkpoint import averaged_weights, load_checkpoint  # noqa: E402
from disa.training.run import train as training  # noqa: E402
from helpers import small_training as small  # noqa: E402


def settings(folder: Path, **changes: object) -> Path:
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump({**small.SETTINGS, "images": str(folder / "images"), **changes}))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small.image_folder(tmp_path / "images", range(3))
    return tmp_path


def train(folder: Path, *more: str, **changes: object) -> tuple[int, list[str], list[str]]:
    """Exit code, lines of stdout and lines of stderr."""
    arguments = ["train", str(settings(folder, **changes)), "-o", str(folder / "run"), "--gpus", "0", *more]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()


def test_a_run_from_images_to_an_exported_model(folder: Path) -> None:
    code, said, errors = train(folder, "--stop", "2")
    assert (code, errors) == (0, [])
    assert [line.split(":")[0] for line in said[:3]] == [f"reading {n} of 3" for n in (1, 2, 3)]
    assert said[3] in [f"2 volumes to train on, 1 held out, of scan{n}" for n in range(3)]
    assert said[4].startswith("seconds=")
    assert "step=2" in said[4]
    code, said, errors = train(folder, "--resume", "--set", "total_steps=3")
    assert (code, errors) == (0, [])
    assert not any(line.startswith("reading") for line in said)
    assert f"{folder / 'run' / 'checkpoint.pt'}: goes on with other settings than before, total_steps: 3" in said
    run = folder / "run"
    assert {path.name for path in run.iterdir()} == {
        "cache.npz", "checkpoint.pt", "config.yaml", "training_curve.png", "training_log.csv"
    }  # fmt: skip
    assert load_checkpoint(run / "checkpoint.pt")["step"] == 3
    model = folder / "own-stride4.onnx"
    pytest.importorskip("onnxscript", reason="export needs onnxscript")
    result = CliRunner().invoke(app, ["export", str(run / "checkpoint.pt"), "-o", str(model)])
    assert result.exit_code == 0, result.output
    assert model.exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lerning_rate": 1}, "{0}/run.yaml: unknown key lerning_rate; did you mean learning_rate?"),
        ({"seed": "x"}, "{0}/run.yaml: seed is 'x', expected a whole number"),
        ({"images": ""}, "neither images nor cache is given"),
        ({"images": "", "cache": "{0}/none.npz"}, "{0}/none.npz: no such file; give images to make it from"),
        ({"initial_weights": "{0}/run.yaml"}, "{0}/run.yaml: not a PyTorch file of plain weights"),
        ({"images": "{0}/nowhere"}, "images: {0}/nowhere: no such file or folder"),
    ],
)
def test_wrong_settings_are_one_line(folder: Path, changes: dict[str, object], says: str) -> None:
    changes = {key: value.format(folder) if isinstance(value, str) else value for key, value in changes.items()}
    code, said, errors = train(folder, **changes)
    assert code == 1
    assert said == []
    assert len(errors) == 1
    assert errors[0].startswith(f"disa: {says.format(folder)}")


def test_an_unreadable_volume_is_one_line_before_training(folder: Path) -> None:
    bad = folder / "images" / "bad.nii.gz"
    bad.write_bytes(b"?")
    code, _, errors = train(folder)
    assert code == 1
    assert errors == [
        (
            f"disa: {bad}: not readable as an image; expected NIfTI, NRRD, MetaImage or another format of ITK's; "
            "or leave it out"
        )
    ]
    assert not (folder / "run").exists() or list((folder / "run").iterdir()) == []


def test_a_checkpoint_is_neither_overwritten_nor_made_up(folder: Path) -> None:
    code, _, errors = train(folder, "--resume")
    checkpoint = folder / "run" / "checkpoint.pt"
    assert (code, errors) == (1, [f"disa: {checkpoint}: no such file; leave out --resume to start a run"])
    checkpoint.parent.mkdir(exist_ok=True)
    torch.save({"network": torch.nn.Linear(2, 2).state_dict(), "optimisers": []}, checkpoint)
    before = checkpoint.read_bytes()
    code, _, errors = train(folder)
    assert code == 1
    assert errors == [f"disa: {checkpoint}: is there already; add --resume to go on from it, or choose another -o"]
    code, _, errors = train(folder, "--resume")
    assert code == 1
    assert errors == [
        (
            f"disa: {checkpoint}: not the weights of a DISA network of 90,752 numbers; "
            "expected a checkpoint written by disa train"
        )
    ]
    assert checkpoint.read_bytes() == before


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert train(folder, "--stop", "1")[0] == 0
    run = folder / "run"
    before = averaged_weights(run / "checkpoint.pt")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        code, _, errors = train(folder, "--resume")
    assert code == 1
    assert len(errors) == 1
    assert "cannot be written: No space left on device; what was there before is kept" in errors[0]
    after = averaged_weights(run / "checkpoint.pt")
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert train(folder, "--resume")[0] == 0
    assert load_checkpoint(run / "checkpoint.pt")["step"] == 4


def test_memory_that_runs_out_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(trainer: training.Trainer, rank: int) -> None:
        raise torch.cuda.OutOfMemoryError("tried to allocate\na lot")

    monkeypatch.setattr(training.Trainer, "draw", exhausted)
    code, _, errors = train(folder)
    assert (code, errors) == (1, ["disa: cpu: out of memory; lower batch_pairs, positions or crop_size"])


@pytest.mark.slow
def test_ctrl_c_saves_a_checkpoint_and_says_how_to_go_on(folder: Path) -> None:
    path = settings(folder, total_steps=100_000, validate_steps=2)
    run = folder / "run"
    disa = [sys.executable, "-c", "from disa.cli.app import app; app()"]
    command = [*disa, "train", str(path), "-o", str(run), "--gpus", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 120
    while not (run / "training_log.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines() == [
        f"disa: interrupted, {run / 'checkpoint.pt'} is written; to go on: the same command with --resume"
    ]
    step = load_checkpoint(run / "checkpoint.pt")["step"]
    assert step >= 2
    assert train(folder, "--resume", "--stop", str(step + 1), total_steps=100_000)[0] == 0
    assert load_checkpoint(run / "checkpoint.pt")["step"] == step + 1


@pytest.mark.parametrize("command", ["train run.yaml", "export run.pt -o model.onnx"])
def test_without_pytorch_the_commands_say_what_to_install(command: str) -> None:
    code = (
        f"import sys; sys.modules['torch'] = None; sys.argv[1:] = {command.split()}; "
        "from disa.cli.app import app; app()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"disa: {command.split(maxsplit=1)[0]} needs torch: pip install 'torch>=")
    assert len(done.stderr.splitlines()) == 1
