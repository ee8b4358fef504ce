# SPDX-License-Identifier: Apache-2.0
"""Settings: what is accepted, and what is said of what is not."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("yaml", reason="training settings need PyYAML")

from disa.errors import ConfigError
from disa.training.config import TrainingConfig, dump_config, load_config
from helpers.paths import MODELS

SHIPPED = MODELS / "disa-lc2.yaml"
TEXTS = ("images", "groups", "cache", "initial_weights", "similarity", "pairs")


def written(folder: Path, text: str) -> Path:
    path = folder / "c.yaml"
    path.write_text(text)
    return path


def test_a_file_and_what_is_set_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path, "seed: 3\nlearning_rate: 2e-2\n")
    assert load_config(path, ["noise=0.1"]) == TrainingConfig(seed=3, learning_rate=0.02, noise=0.1)
    assert load_config(written(tmp_path, "")) == TrainingConfig()


def test_what_is_dumped_is_what_was_read(tmp_path: Path) -> None:
    config = load_config(SHIPPED)
    assert load_config(written(tmp_path, dump_config(config))) == config


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("batch_pair: 3", "unknown key batch_pair; did you mean batch_pairs?"),
        ("zzz: 3", "unknown key zzz; the keys are images, groups"),
        ("self: 3", "unknown key self; the keys are images, groups"),
        ("seed: many", "seed is 'many', expected a whole number"),
        ("seed: true", "seed is True, expected a whole number"),
        ("noise: loud", "noise is 'loud', expected a number"),
        ("precision: fp8", "precision is 'fp8', expected 'bf16', 'tf32' or 'fp32'"),
        ("images: [1, 2]", "images is [1, 2], expected a text or a list of paths"),
        ("held_out: 1.5", "held_out is 1.5, expected a share between 0 and 1"),
        ("noise: .nan", "noise is nan, expected 0 or more"),
        ("batch_pairs: 0", "batch_pairs is 0, expected more than 0"),
        ("crop_size: 62", "crop_size is 62, expected a multiple of 4 greater than 24"),
        ("crop_size: 20", "crop_size is 20, expected a multiple of 4 greater than 24"),
        ("max_zoom: 0.5", "max_zoom is 0.5, expected 1 or more"),
        ("poses: 1", "poses is 1, expected 2 or more"),
        ("smoothings: []", "smoothings is [], expected a list of widths, 0 or more each"),
        ("smoothings: [3, -1]", "smoothings is -1, expected a list of widths, 0 or more each"),
        ("min_displacement: 20", "min_displacement is more than max_displacement; lower it"),
        ("aligned_share: 0.9", "aligned_share and self_share add up to more than 1"),
        ("total_steps: 5\ntotal_seconds: 6", "total_steps and total_seconds are both given"),
        ("warmup_seconds: 5", "warmup_seconds is given, but the length of the run is not in seconds"),
        ("total_seconds: 9\nvalidate_steps: 5", "validate_steps is given, but the length of the run is not in steps"),
        ("similarity: ssd", "similarity is ssd, expected lc2, ncc or package.module:object"),
        ("similarity: 'no_such:thing'", "cannot be imported"),
        ("similarity: 'math:pi'", "math:pi does not follow disa.training.targets.similarity.Similarity"),
        ("- a\n- b", "expected lines of `key: value`"),
        ("a: [", "not YAML"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [-1, True, math.nan, {}, "\n"], ids=repr)
@pytest.mark.parametrize("name", [name for name in TrainingConfig.model_fields if name not in TEXTS])
def test_every_setting_that_is_no_text_is_checked(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} is {re.escape(repr(value))}, expected [a-z0-9' ,]+$"):
        TrainingConfig(**{name: value})


@pytest.mark.parametrize("value", [-1, True, math.nan, {}, [3]], ids=repr)
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_is_one(name: str, value: object) -> None:
    expected = "a text( or a list of paths)?"
    with pytest.raises(ConfigError, match=rf"^{name} is {re.escape(repr(value))}, expected {expected}$"):
        TrainingConfig(**{name: value})


def test_changed_settings_are_checked_and_the_others_stay() -> None:
    config = TrainingConfig(total_seconds=60, images=["a", "b"])
    assert config.changed(seed=5) == TrainingConfig(total_seconds=60, images=["a", "b"], seed=5)
    with pytest.raises(ConfigError, match="total_steps and total_seconds are both given"):
        config.changed(total_steps=5)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file; expected a YAML file"):
        load_config(tmp_path / "none.yaml")


def test_the_shipped_settings_keep_their_schedule() -> None:
    schedule = load_config(SHIPPED).schedule
    assert (schedule.unit, schedule.total, schedule.warmup, schedule.validate_every) == ("seconds", 1080, 15, 60)
    # From the log of that run: seconds and the rate of Muon.
    for seconds, rate in ((60.0, 0.0198), (300.0, 0.0164), (600.0, 0.00828), (900.0, 0.00136)):
        assert 0.02 * schedule.rate(seconds) == pytest.approx(rate, rel=5e-3)


def test_a_run_in_steps_warms_up_cools_down_and_validates_at_its_end() -> None:
    schedule = TrainingConfig(total_steps=1000, validate_steps=300).schedule
    rates = [schedule.rate(step) for step in range(1001)]
    assert rates[0] < 0.05 < rates[1]
    assert max(rates) == pytest.approx(1, abs=2e-3)
    assert rates.index(max(rates)) in (16, 17)
    assert rates[-1] == pytest.approx(1e-3)
    assert [schedule.next_validation(step) for step in (0, 299, 300, 899, 900)] == [300, 300, 600, 900, 1000]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: " + "[" * 20_000, "nested deeper than 8 levels"),
        ("a: &a [1, 2]\nb: [*a, *a]\n", "line 2: an alias; write out what it stands for"),
        ("images: &a [*a]\n", "an alias"),
        ("seed: 2001-99-99\n", "month must be in 1..12"),
        ("seed: " + "9" * 5000 + "\n", "Exceeds the limit"),
        ("#" * (2**20 + 1), "longer than 1048576 characters"),
    ],
)
def test_yaml_that_would_fill_the_memory_or_the_stack_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: not YAML: ") and says in str(caught.value)
    assert "\n" not in str(caught.value)
