# SPDX-License-Identifier: Apache-2.0
"""The training loop: one run in legs, what it writes, and what it does when it cannot."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("matplotlib", reason="the loss curve needs matplotlib")

from disa.errors import ConfigError, ModelError, TrainingError  # noqa: E402
from disa.training.model.checkpoint import averaged_weights, load_checkpoint  # noqa: E402
from disa.training.model.network import shared_network  # noqa: E402
from disa.training.run import train  # noqa: E402
from disa.training.run.session import _check_devices  # noqa: E402
from disa.training.run.train import Trainer  # noqa: E402
from disa.training.team import Team  # noqa: E402
from disa.training.validate.paper_pairs import load_pairs, sample_pairs, save_pairs  # noqa: E402
from disa.training.validate.score_pairs import similarities  # noqa: E402
from helpers import small_training as small  # noqa: E402
from helpers.tables import rows_of  # noqa: E402


def make(output: Path, **changes: object) -> Trainer:
    volumes = [small.volume(1, group="a"), small.volume(2, group="a"), small.volume(3)]
    return Trainer(small.config(**changes), volumes, [small.volume(4), small.volume(5)], output)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of four steps in one leg."""
    folder = tmp_path_factory.mktemp("whole")
    make(folder).run()
    return folder


def same(one: object, other: object) -> bool:
    """Equality bit for bit, through dictionaries and lists."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.mark.parametrize("stops", [(1,), (2, 3)])
def test_a_run_in_legs_is_the_run_in_one(whole: Path, tmp_path: Path, stops: tuple[int, ...]) -> None:
    for stop in (*stops, 10):
        trainer = make(tmp_path)
        if stop != stops[0]:
            trainer.resume(tmp_path / "checkpoint.pt")
        trainer.run(stop)
        assert trainer.step == min(stop, 4)
    expected, got = load_checkpoint(whole / "checkpoint.pt"), load_checkpoint(tmp_path / "checkpoint.pt")
    for part in ("network", "averaged", "optimisers", "shares", "step", "loss", "losses", "config"):
        assert same(expected[part], got[part]), part
    logs = [rows_of(folder / "training_log.csv") for folder in (whole, tmp_path)]
    assert [row["step"] for row in logs[0]] == ["2", "4"]
    for one, other in zip(*logs, strict=True):
        clocked = {"seconds", "pairs_per_second"}
        assert {k: v for k, v in one.items() if k not in clocked} == {
            k: v for k, v in other.items() if k not in clocked
        }


def test_another_seed_is_another_run(whole: Path, tmp_path: Path) -> None:
    make(tmp_path, seed=4).run()
    expected, got = averaged_weights(whole / "checkpoint.pt"), averaged_weights(tmp_path / "checkpoint.pt")
    assert not any(torch.equal(expected[name], got[name]) for name in expected)


def test_data_depend_on_step_and_process_alone(tmp_path: Path) -> None:
    trainer, other = make(tmp_path), make(tmp_path)
    first = trainer.draw(0)
    second = trainer.draw(1)
    assert not same(first.target, second.target)
    other.draw(1)
    assert same(list(other.draw(0)), list(first))
    trainer.learn(first)
    assert not same(trainer.draw(0).target, first.target)


def test_a_run_writes_what_the_readme_says(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {"checkpoint.pt", "training_log.csv", "training_curve.png"}
    assert (whole / "training_curve.png").read_bytes().startswith(b"\x89PNG")
    row = rows_of(whole / "training_log.csv")[-1]
    assert 0 < float(row["train_error"]) < 1
    assert 0 < float(row["shifted_error"]) < 1


def test_training_lowers_the_error(tmp_path: Path) -> None:
    trainer = make(tmp_path, total_steps=40, batch_pairs=1, remap_share=0.0, warmup_steps=4)
    batch = trainer.draw(0)
    losses = [float(trainer.learn(batch)) for _ in range(12)]
    assert losses[-1] < 0.7 * losses[0]


def test_a_run_in_seconds_ends_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 5))
    monkeypatch.setattr(train.time, "monotonic", lambda: float(next(clock)))
    trainer = make(tmp_path, total_steps=None, validate_steps=None, total_seconds=60.0, save_seconds=1e6)
    trainer.learn = lambda batch: setattr(trainer, "step", trainer.step + 1)
    trainer.draw = lambda rank: None
    trainer.run(stop=30)
    assert 30 <= trainer.seconds < 45
    trainer.run()
    assert 60 <= trainer.seconds < 75
    assert trainer.schedule.rate(trainer.done) == pytest.approx(1e-3)


def test_an_interrupted_run_saves_and_goes_on(whole: Path, tmp_path: Path) -> None:
    asked = iter([False, False, False, True])
    make(tmp_path).run(interrupted=lambda: next(asked))
    assert load_checkpoint(tmp_path / "checkpoint.pt")["step"] == 3
    trainer = make(tmp_path)
    trainer.resume(tmp_path / "checkpoint.pt")
    trainer.run()
    assert same(*(averaged_weights(folder / "checkpoint.pt") for folder in (whole, tmp_path)))


def test_checkpoints_come_between_validations_too(tmp_path: Path) -> None:
    steps = []
    trainer = make(tmp_path, validate_steps=4, save_seconds=1e-6)
    save = trainer._save
    trainer._save = lambda: (steps.append(trainer.step), save())
    trainer.run()
    assert steps == [1, 2, 3, 4]


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path).run(stop=1)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    trainer = make(tmp_path)
    trainer.resume(tmp_path / "checkpoint.pt")
    with pytest.raises(
        TrainingError, match=r"^\S+/checkpoint.pt: cannot be written: No space left on device; .* kept$"
    ):
        trainer.run(stop=2)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    make(tmp_path).run(stop=1)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    trainer = make(tmp_path)
    trainer.resume(tmp_path / "checkpoint.pt")
    with torch.no_grad():
        trainer.network.layers[0].conv.weight[0] = float("nan")
    with pytest.raises(TrainingError, match=r"the loss is nan at step 2; lower learning_rate"):
        trainer.run()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_pairs_must_share_out_evenly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"batch_pairs is 2, expected a multiple of the 3 GPUs"):
        Trainer(small.config(), [small.volume(1)], [small.volume(2)], tmp_path, team=Team(0, 3))


def test_a_run_does_not_change_its_similarity(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"trained with similarity: lc2, not ncc; start a run of its own"):
        make(tmp_path, similarity="ncc").resume(whole / "checkpoint.pt")


def test_another_similarity_can_be_trained_on(tmp_path: Path) -> None:
    trainer = make(tmp_path, similarity="ncc", total_steps=2)
    trainer.run()
    assert float(trainer.log.rows[-1]["shifted_error"]) > 0


class Harm:
    """What a file of foreign origin might do when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("load", [load_checkpoint, averaged_weights])
def test_foreign_checkpoints_are_refused_in_one_line(load, whole: Path, tmp_path: Path) -> None:
    state = load_checkpoint(whole / "checkpoint.pt")
    wider = {name: torch.cat([value, value]) for name, value in state["averaged"].items()}
    path = tmp_path / "other.pt"
    contents = {
        "another network": {**state, "network": wider, "averaged": wider},
        "something else": [1, 2],
        "harm": {**state, "extra": Harm(tmp_path / "touched")},
        "no file": None,
    }
    for name, content in contents.items():
        path.unlink(missing_ok=True)
        if content is not None:
            torch.save(content, path)
        with pytest.raises(ModelError) as caught:
            load(path)
        assert str(caught.value).startswith(f"{path}: "), name
        assert "expected a checkpoint written by disa train" in str(caught.value)
        assert "\n" not in str(caught.value)
    path.write_bytes(pickle.dumps(np.zeros(3)))
    with pytest.raises(ModelError, match="not a PyTorch file"):
        load(path)
    assert not (tmp_path / "touched").exists()


def test_weights_alone_can_be_exported_but_not_resumed(whole: Path, tmp_path: Path) -> None:
    weights = averaged_weights(whole / "checkpoint.pt")
    torch.save(weights, tmp_path / "weights.pt")
    assert same(averaged_weights(tmp_path / "weights.pt"), weights)
    with pytest.raises(ModelError, match="no run can go on from it, it lacks averaged, config"):
        load_checkpoint(tmp_path / "weights.pt")


@pytest.mark.parametrize(("precision", "reduced"), [("bf16", True), ("tf32", True), ("fp32", False)])
def test_full_precision_leaves_out_tf32(tmp_path: Path, precision: str, reduced: bool) -> None:
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = not reduced
    make(tmp_path, precision=precision)
    assert torch.backends.cudnn.allow_tf32 == torch.backends.cuda.matmul.allow_tf32 == reduced


def test_a_gpu_without_bfloat16_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    with pytest.raises(ConfigError, match=r"precision is bf16, which this GPU does not have; set precision: fp32"):
        _check_devices(small.config(), ["cuda:0"])
    _check_devices(small.config(precision="fp32"), ["cuda:0"])
    _check_devices(small.config(), ["cpu"])


def test_the_papers_pairs_of_held_out_volumes_are_logged(tmp_path: Path) -> None:
    pairs = sample_pairs(small.volume(4), small.volume(5), 6, np.random.default_rng(0))
    save_pairs(pairs, tmp_path / "pairs.csv")
    trainer = make(tmp_path, pairs=str(tmp_path / "pairs.csv"))
    trainer.run()
    volumes = {volume.info.name: volume for volume in trainer.held_out}
    (predicted,) = similarities(shared_network(trainer.averaged, 1), volumes, load_pairs(tmp_path / "pairs.csv"))
    expected = np.mean((predicted - [pair.lc2 for pair in pairs]) ** 2)
    assert float(trainer.log.rows[-1]["pairs_error"]) == pytest.approx(expected, abs=1e-5)


def with_places(output: Path, **changes: object) -> Trainer:
    volumes = [small.volume(1, group="a"), small.volume(2, group="a")]
    held_out = [small.volume(4, group="b"), small.volume(5, group="b")]
    settings = {"border": 4, "self_share": 0.5, "pose_samples": 16, "poses": 4, **changes}
    return Trainer(small.config(similarity="ncc", crop_size=28, **settings), volumes, held_out, output)


def test_losses_on_places_are_logged_drawn_and_go_on(tmp_path: Path) -> None:
    weights = {"pose_weight": 0.01, "position_weight": 0.01, "smoothings": [0.0, 6.0]}
    with_places(tmp_path / "whole", **weights).run()
    rows = rows_of(tmp_path / "whole" / "training_log.csv")
    for name, most in (("near", 64), ("far", 64)):
        assert 0 < float(rows[-1][f"{name}_pose_error"]) < 2 * np.log(most)
        assert 0 <= float(rows[-1][f"{name}_pose_accuracy"]) <= 1
    assert 0 < float(rows[-1]["train_pose_error"]) < 2 * np.log(4)
    assert 0 < float(rows[-1]["train_position_error"]) < 2 * np.log(33)
    with_places(tmp_path / "legs", **weights).run(stop=2)
    trainer = with_places(tmp_path / "legs", **weights)
    trainer.resume(tmp_path / "legs" / "checkpoint.pt")
    trainer.run()
    assert same(*(averaged_weights(tmp_path / leg / "checkpoint.pt") for leg in ("whole", "legs")))
    plain = with_places(tmp_path / "plain")
    plain.run()
    assert not same(averaged_weights(tmp_path / "plain" / "checkpoint.pt"), trainer.averaged.state_dict())


def test_a_run_may_go_on_with_losses_on_places(tmp_path: Path) -> None:
    with_places(tmp_path).run(stop=2)
    trainer = with_places(tmp_path, pose_weight=0.01)
    trainer.resume(tmp_path / "checkpoint.pt")
    trainer.run()
    first, last = rows_of(tmp_path / "training_log.csv")
    assert first["near_pose_error"] == ""
    assert float(last["near_pose_error"]) > 0
    assert (tmp_path / "training_curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_starts_from_weights(whole: Path, tmp_path: Path) -> None:
    weights = averaged_weights(whole / "checkpoint.pt")
    torch.save(weights, tmp_path / "weights.pt")
    for path in (whole / "checkpoint.pt", tmp_path / "weights.pt"):
        trainer = make(tmp_path)
        trainer.start_from(path)
        assert same(dict(trainer.network.state_dict()), weights)
        assert same(dict(trainer.averaged.state_dict()), weights)
    with pytest.raises(ModelError, match=r"none\.pt: no such file; expected a checkpoint"):
        make(tmp_path).start_from(tmp_path / "none.pt")


def test_pairs_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    with pytest.raises(ConfigError, match=r"pairs\.csv: No such file"):
        make(tmp_path, pairs=str(path))
    path.write_text("moving,fixed\na,b\n")
    with pytest.raises(ConfigError, match=r"pairs\.csv: not a table of patch pairs"):
        make(tmp_path, pairs=str(path))
    save_pairs(sample_pairs(small.volume(4), small.volume(9), 1, np.random.default_rng(0)), path)
    with pytest.raises(ConfigError, match=r"has volume-9, which is not among the held-out volumes$"):
        make(tmp_path, pairs=str(path))
