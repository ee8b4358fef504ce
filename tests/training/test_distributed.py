"""Two processes of one run, on the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

import small  # noqa: E402
import torch.distributed as dist  # noqa: E402
from torch import multiprocessing  # noqa: E402

from disa.errors import TrainingError  # noqa: E402
from disa.training import session  # noqa: E402
from disa.training.checkpoint import load_checkpoint  # noqa: E402
from disa.training.compare import Batch  # noqa: E402
from disa.training.session import run_training  # noqa: E402
from disa.training.team import Team  # noqa: E402
from disa.training.train import Trainer  # noqa: E402

pytestmark = pytest.mark.skipif(not dist.is_available(), reason="this PyTorch has no torch.distributed")

STEPS = 2


def make(output: Path, team: Team, pairs: int) -> Trainer:
    volumes = [small.volume(1), small.volume(2)]
    return Trainer(small.config(batch_pairs=pairs), volumes, [small.volume(3)], output, team=team)


def state(trainer: Trainer) -> dict[str, object]:
    return {
        "network": trainer.network.state_dict(),
        "averaged": trainer.averaged.state_dict(),
        "shares": trainer.weights.shares,
    }


def member(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    trainer = make(folder, Team(rank, 2), pairs=2)
    for _ in range(STEPS):
        trainer.learn(trainer.draw(rank))
    torch.save(state(trainer), folder / f"rank{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_learn_what_one_learns_from_both_their_pairs(tmp_path: Path) -> None:
    multiprocessing.start_processes(member, (tmp_path,), nprocs=2, start_method="spawn")
    alone = make(tmp_path, Team(), pairs=1)
    before = {name: value.clone() for name, value in alone.network.state_dict().items()}
    for _ in range(STEPS):
        parts = [alone.draw(rank) for rank in (0, 1)]
        assert not torch.equal(parts[0].target, parts[1].target)
        alone.learn(Batch(*(torch.cat(both) for both in zip(*parts, strict=True))))
    first, second = (torch.load(tmp_path / f"rank{rank}.pt") for rank in (0, 1))
    for part, expected in state(alone).items():
        torch.testing.assert_close(first[part], second[part], atol=0, rtol=0)
        torch.testing.assert_close(first[part], expected, atol=2e-4, rtol=1e-3)
    assert not torch.equal(first["network"]["layers.0.conv.weight"], before["layers.0.conv.weight"])


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(small.image_folder(tmp_path_factory.mktemp("images"), range(3)))


def test_a_run_of_two_processes_can_be_stopped_and_resumed(images: str, tmp_path: Path) -> None:
    config = small.config(images=images, cache=str(tmp_path / "c.npz"), total_steps=3, validate_steps=3)
    for stops, output in (((10.0,), tmp_path / "whole"), ((1.0, 10.0), tmp_path / "legs")):
        for leg, stop in enumerate(stops):
            assert run_training(config, output, leg > 0, stop, ["cpu", "cpu"])
    whole, legs = (load_checkpoint(tmp_path / name / "checkpoint.pt") for name in ("whole", "legs"))
    assert whole["step"] == legs["step"] == 3
    for part in ("network", "averaged", "shares"):
        torch.testing.assert_close(whole[part], legs[part], atol=0, rtol=0)
    assert len((tmp_path / "legs" / "training_log.csv").read_text().splitlines()) == 2


def test_what_one_process_meets_ends_the_run_in_one_line(images: str, tmp_path: Path) -> None:
    config = small.config(images=images, cache=str(tmp_path / "c.npz"), similarity="test_distributed:Failing")
    with pytest.raises(TrainingError, match=r"^the disk of process 0 is full$"):
        run_training(config, tmp_path / "run", False, 10.0, ["cpu", "cpu"])


class _Failing:
    radius, range, reads_gradient, sees_sign = 1, (0.0, 1.0), False, False

    def __call__(self, source: object, target: object) -> torch.Tensor:
        if dist.get_rank() == 0:
            raise TrainingError("the disk of process 0 is full")
        return torch.zeros(1, 8, 8)


Failing = _Failing()


def test_all_gpus_are_taken_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert session.visible_devices() == ["cuda:0", "cuda:1", "cuda:2"]
    assert session.visible_devices(1) == ["cuda:0"]
    assert session.visible_devices(0) == ["cpu"]
    with pytest.raises(ValueError, match=r"--gpus is 4, but 3 can be used"):
        session.visible_devices(4)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert session.visible_devices() == ["cpu"]
