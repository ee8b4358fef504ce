"""Everything a training run can be told, read from YAML."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a run.

    Attributes:
        cache: file written by `disa.training.prepare`.
        seed: of every random number.
        total_seconds: length of the learning-rate schedule, over all legs of the run.
        batch_pairs: crop pairs a step.
        crop_size: side of a cubic crop in voxels, a multiple of 4.
        positions: positions drawn in each crop; a step compares positions^2 patches a pair.
        border: voxels between a position and the border of a crop that the network sees.
        aligned_share: share of pairs from two volumes of one person in common world space.
        self_share: share of pairs of a volume with itself; the rest are any two volumes.
        corresponding_share: share of a moving crop's positions near a fixed position, where both
            crops lie in common world space.
        weighted_share: share of the other positions drawn in proportion to local variance.
        turned_share: share of pairs whose moving crop is on a turned grid.
        max_turn_degrees: largest angle of that turn.
        unshifted_share: share of pairs whose moving crop is neither turned nor shifted.
        max_shift: largest shift in voxels along each axis of the grid that the network sees; a
            stride-4 cell is shifted anywhere at 2.
        moving_on_cells: share of moving positions put on stride-4 cells of the parallel grid; the
            others are on any voxel. Fixed positions are on cells.
        native_share: share of pairs on the fixed volume's own grid up to axis swaps and flips.
        max_zoom: zoom is drawn from [1 / max_zoom, max_zoom], uniform in its logarithm.
        remap_share: share of crops whose intensities go through a random curve, target included.
        flip_sign_share: share of network inputs with their sign flipped.
        noise: largest standard deviation of noise on network inputs.
        bins: bins of the target in [0, 1] that count alike in the loss.
        learning_rate: of Muon for the 3x3x3 convolutions between channels, peak of warm-up and cosine decay.
        other_learning_rate: of AdamW for all other parameters, likewise.
        warmup_seconds: of linear warm-up.
        weight_decay: of both.
        ema_decay: of the averaged weights that are validated and exported.
        validate_seconds: between validations, checkpoints and log lines.
    """

    cache: str = "train.npz"
    seed: int = 1
    total_seconds: float = 1080.0
    batch_pairs: int = 16
    crop_size: int = 64
    positions: int = 512
    border: int = 12
    aligned_share: float = 0.5
    self_share: float = 0.25
    corresponding_share: float = 0.3
    weighted_share: float = 0.6
    turned_share: float = 0.3
    max_turn_degrees: float = 30.0
    unshifted_share: float = 0.25
    max_shift: float = 2.0
    moving_on_cells: float = 0.3
    native_share: float = 0.3
    max_zoom: float = 1.4
    remap_share: float = 0.2
    flip_sign_share: float = 0.3
    noise: float = 0.05
    bins: int = 16
    learning_rate: float = 2e-2
    other_learning_rate: float = 2e-3
    warmup_seconds: float = 15.0
    weight_decay: float = 1e-3
    ema_decay: float = 0.999
    validate_seconds: float = 40.0

    def __post_init__(self) -> None:
        if self.crop_size % 4:
            raise ValueError(f"crop_size is {self.crop_size}, expected a multiple of 4")
        if self.aligned_share + self.self_share > 1:
            raise ValueError("aligned_share and self_share add up to more than 1")
        if self.turned_share + self.unshifted_share > 1:
            raise ValueError("turned_share and unshifted_share add up to more than 1")


def load_config(path: Path, overrides: list[str] | None = None) -> TrainingConfig:
    """Configuration from a YAML mapping, then from `name=value` strings.

    Raises:
        ValueError: a name is not a setting, or a value is out of range.
    """
    values: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
    for override in overrides or []:
        name, _, value = override.partition("=")
        values[name] = yaml.safe_load(value)
    unknown = values.keys() - {field.name for field in fields(TrainingConfig)}
    if unknown:
        raise ValueError(f"{path}: unknown settings {sorted(unknown)}")
    return TrainingConfig(**values)


def dump_config(config: TrainingConfig) -> str:
    """The configuration as YAML."""
    text: str = yaml.safe_dump(asdict(config), sort_keys=False)
    return text
