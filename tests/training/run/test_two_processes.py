# SPDX-License-Identifier: Apache-2.0
"""Two processes of one run, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

import torch.distributed as dist  # noqa: E402
from torch import multiprocessing  # noqa: E402

from disa.errors import TrainingError  # noqa: E402
from disa.training.model.checkpoint import load_checkpoint  # noqa: E402
from disa.training.run import session  # noqa: E402
from disa.training.run.session import run_training  # noqa: E402
from disa.training.sampling.compare import Batch  # noqa: E402
from disa.training.team import Team  # noqa: E402
from helpers import small_training as small  # noqa: E402
from helpers.training_members import STEPS, make, member, state  # noqa: E402

pytestmark = pytest.mark.skipif(not dist.is_available(), reason="this PyTorch has no torch.distributed")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """In each process: there may be no more cores than processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that two members wrote."""
    folder = tmp_path_factory.mktemp("members")
    multiprocessing.start_processes(member, (folder,), nprocs=2, start_method="spawn")
    return folder


def test_two_processes_learn_what_one_learns_from_both_their_pairs(made: Path, tmp_path: Path) -> None:
    alone = make(tmp_path, Team(), pairs=1)
    before = {name: value.clone() for name, value in alone.network.state_dict().items()}
    for _ in range(STEPS):
        parts = [alone.draw(rank) for rank in (0, 1)]
        assert not torch.equal(parts[0].target, parts[1].target)
        alone.learn(Batch(*(torch.cat(both) for both in zip(*(part[:5] for part in parts), strict=True))))
    first, second = (torch.load(made / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    for part, expected in state(alone).items():
        torch.testing.assert_close(first[part], second[part], atol=0, rtol=0)
        torch.testing.assert_close(first[part], expected, atol=2e-4, rtol=1e-3)
    assert not torch.equal(first["network"]["layers.0.conv.weight"], before["layers.0.conv.weight"])


def test_a_run_of_two_processes_in_legs_is_the_run_in_one(made: Path) -> None:
    whole, legs = (load_checkpoint(made / name / "checkpoint.pt") for name in ("whole", "legs"))
    assert whole["step"] == legs["step"] == 4
    for part in ("network", "averaged", "shares", "loss"):
        torch.testing.assert_close(whole[part], legs[part], atol=0, rtol=0)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(small.image_folder(tmp_path_factory.mktemp("images"), range(3)))


def test_a_run_of_two_processes_from_its_settings(images: str, tmp_path: Path) -> None:
    config = small.config(images=images, total_steps=2)
    assert run_training(config, tmp_path / "run", False, 10.0, ["cpu", "cpu"])
    assert load_checkpoint(tmp_path / "run" / "checkpoint.pt")["step"] == 2
    assert len((tmp_path / "run" / "training_log.csv").read_text().splitlines()) == 2


def test_what_one_process_meets_ends_the_run_in_one_line(images: str, tmp_path: Path) -> None:
    config = small.config(images=images, cache=str(tmp_path / "c.npz"), similarity="helpers.similarities:Failing")
    with pytest.raises(TrainingError, match=r"^the disk of process 0 is full$"):
        run_training(config, tmp_path / "run", False, 10.0, ["cpu", "cpu"])


def test_all_gpus_are_taken_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert session.visible_devices() == ["cuda:0", "cuda:1", "cuda:2"]
    assert session.visible_devices(1) == ["cuda:0"]
    assert session.visible_devices(0) == ["cpu"]
    with pytest.raises(ValueError, match=r"--gpus is 4, but 3 can be used"):
        session.visible_devices(4)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert session.visible_devices() == ["cpu"]
