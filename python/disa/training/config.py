# SPDX-License-Identifier: Apache-2.0
"""Everything a training run can be told, read from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from disa.errors import ConfigError
from disa.io.kinds import check_file
from disa.io.plain_yaml import dump_yaml, load_yaml
from disa.training.kinds import Count, NotNegative, Paths, PoseCount, Positive, Seed, Share, Widths, Zoom, complaint
from disa.training.model.network import CELL
from disa.training.schedule import Schedule
from disa.training.targets.similarity import find_similarity

DEFAULT_STEPS = 40_000
#: Shares of a run, where the settings do not say.
WARMUP_SHARE = 1 / 60
VALIDATION_SHARE = 1 / 12


class TrainingConfig(BaseModel):
    """Settings of a run. Paths are as on a command line, relative to the current folder.

    Attributes:
        images: folder with the volumes at any depth (NIfTI, NRRD, MetaImage, a folder for each DICOM series), or a
            list of files and series folders. If not given, `cache` is used as it is.
        groups: CSV table of the volumes to use, if not all; see `disa.training.data.catalog`.
        cache: file of the preprocessed volumes, 2 mm, made anew when `images` have changed. If not given,
            `cache.npz` in the output folder.
        held_out: share of the subjects that is held out for validation, where the table names none.
        initial_weights: checkpoint or file of weights that a run starts from; random weights if not given.
        similarity: what descriptors approximate: lc2, ncc, or package.module:object; see
            `disa.training.targets.similarity`.
        precision: of the network's arithmetic on a GPU: bf16, tf32 or fp32. On a CPU it is fp32.
        seed: of every random number.
        total_steps: length of the run in optimiser steps; 40,000 if neither this nor `total_seconds` is given.
        total_seconds: length of the run in seconds instead, the first step of each leg (compilation) not counted.
            How far the learning rate has fallen then depends on the machine.
        warmup_steps, warmup_seconds: of linear warm-up, in the unit of the run's length; a 60th of it if not given.
        validate_steps, validate_seconds: between validations, log lines and loss curves, likewise; a 12th.
        pairs: file of patch pairs of held-out volumes, from disa.training.validate.paper_pairs, whose error is
            logged, too.
        validate_batches: batches of `batch_pairs` that a validation compares, in each of its three conditions.
        save_seconds: between checkpoints, at most.
        batch_pairs: crop pairs a step, over all GPUs.
        crop_size: side of a cubic crop in voxels (2 mm), a multiple of 4.
        positions: positions drawn in each crop; a step compares positions^2 patches a pair.
        border: voxels between a position and the border of a crop that the network sees.
        aligned_share: share of pairs from two volumes of one group, in common world space.
        self_share: share of pairs of a volume with itself; the rest are any two volumes.
        corresponding_share: share of a moving crop's positions near a fixed position, where both
            crops lie in common world space.
        weighted_share: share of the fixed positions drawn in proportion to local variance, the rest are uniform.
        moving_weighted_share: the same of the moving positions, of those not near a fixed one.
        interval_share: share of the loss in which every fixed position's pairs count as in the paper's sampling, a
            pair as often as its target is the closest to a uniform t; in the rest equal bins of the target, over all
            pairs, count alike.
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
        faint_share: share of crops whose contrast is lowered by up to a factor 5, target included.
        artefact_share: share of network inputs with each of: thick slices, speckle, attenuation and a partial
            field of view.
        flip_sign_share: share of network inputs with their sign flipped, for a similarity that does not see it.
        noise: largest standard deviation of noise on network inputs.
        pose_weight: of the loss on poses beside the similarity's error, 0: off. See
            `disa.training.learning.pose_error`. It counts pairs whose crops lie in common world space, and are
            turned or shifted against each other.
        pose_temperature: difference of the metric's value that makes a pose e times as likely in that loss.
        poses: poses a pair, the right one among them.
        pose_samples: descriptors that a pose is valued by, half of them of each crop, drawn by local deviation.
        min_displacement, max_displacement: of the wrong poses, voxels, root mean square over the inner crop; uniform in
            the logarithm. The shortest is longer where the table's `tolerance` is, or a quarter of the smoothing.
        smoothings: widths in voxels of the kernel over the descriptors that samples are read in, one drawn a pair;
            a search goes through 12, 6 and 3, and ends at 0.
        position_weight: of the loss on positions, 0: off. See `disa.training.learning.position_error`.
        position_temperature: likewise, of inner products.
        other_places: places that the right one is told from, 2 to 12 voxels off, further where `tolerance` says.
        bins: bins of the similarity's range that count alike in the loss.
        learning_rate: of Muon for the 3x3x3 convolutions between channels, peak of warm-up and cosine decay.
        other_learning_rate: of AdamW for all other parameters, likewise.
        weight_decay: of both.
        ema_decay: of the averaged weights that are validated and exported.

    Raises:
        ConfigError: a setting is unknown, or its value is of another kind, out of range or contradicts another.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    images: Paths = ""
    groups: str = ""
    cache: str = ""
    held_out: Share = 0.1
    initial_weights: str = ""
    similarity: str = "lc2"
    precision: Literal["bf16", "tf32", "fp32"] = "bf16"
    seed: Seed = 1
    total_steps: Count | None = None
    total_seconds: Positive | None = None
    warmup_steps: Count | None = None
    warmup_seconds: Positive | None = None
    validate_steps: Count | None = None
    validate_seconds: Positive | None = None
    pairs: str = ""
    validate_batches: Count = 8
    save_seconds: Positive = 300.0
    batch_pairs: Count = 16
    crop_size: int = 64
    positions: Count = 512
    border: Count = 12
    aligned_share: Share = 0.5
    self_share: Share = 0.25
    corresponding_share: Share = 0.3
    weighted_share: Share = 0.6
    moving_weighted_share: Share = 0.6
    interval_share: Share = 0.0
    turned_share: Share = 0.3
    max_turn_degrees: NotNegative = 30.0
    unshifted_share: Share = 0.25
    max_shift: NotNegative = 2.0
    moving_on_cells: Share = 0.3
    native_share: Share = 0.3
    max_zoom: Zoom = 1.4
    remap_share: Share = 0.2
    faint_share: Share = 0.0
    artefact_share: Share = 0.0
    flip_sign_share: Share = 0.3
    noise: NotNegative = 0.05
    pose_weight: NotNegative = 0.0
    pose_temperature: Positive = 0.01
    poses: PoseCount = 64
    pose_samples: PoseCount = 512
    min_displacement: Positive = 0.5
    max_displacement: Positive = 10.0
    smoothings: Widths = [0.0]
    position_weight: NotNegative = 0.0
    position_temperature: Positive = 0.07
    other_places: Count = 32
    bins: Count = 16
    learning_rate: Positive = 2e-2
    other_learning_rate: Positive = 2e-3
    weight_decay: NotNegative = 1e-3
    ema_decay: Share = 0.999

    def __init__(self, /, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise ConfigError(complaint(error, TrainingConfig.model_fields)) from None

    @model_validator(mode="after")
    def _check_shares(self) -> TrainingConfig:
        for one, other in (("aligned_share", "self_share"), ("turned_share", "unshifted_share")):
            if getattr(self, one) + getattr(self, other) > 1:
                raise ConfigError(f"{one} and {other} add up to more than 1; lower one of them")
        return self

    @model_validator(mode="after")
    def _check_crop(self) -> TrainingConfig:
        room = max(self.border, find_similarity(self.similarity).radius + 1 + CELL // 2)
        if self.crop_size % CELL or self.crop_size <= 2 * room:
            raise ConfigError(f"crop_size is {self.crop_size}, expected a multiple of {CELL} greater than {2 * room}")
        return self

    @model_validator(mode="after")
    def _check_displacements(self) -> TrainingConfig:
        if self.min_displacement > self.max_displacement:
            raise ConfigError("min_displacement is more than max_displacement; lower it")
        return self

    @model_validator(mode="after")
    def _check_length(self) -> TrainingConfig:
        if self.total_steps and self.total_seconds:
            raise ConfigError("total_steps and total_seconds are both given; keep one")
        wrong = "steps" if self.total_seconds else "seconds"
        for name in (f"warmup_{wrong}", f"validate_{wrong}"):
            if getattr(self, name) is not None:
                raise ConfigError(f"{name} is given, but the length of the run is not in {wrong}; give total_{wrong}")
        return self

    def changed(self, **settings: Any) -> TrainingConfig:
        """The same but for some settings, all checked anew.

        Raises:
            ConfigError: as of the class.
        """
        return TrainingConfig(**{**self.model_dump(), **settings})

    @property
    def schedule(self) -> Schedule:
        """Length, warm-up and validations of the run."""
        if self.total_seconds:
            total, warmup, validate = self.total_seconds, self.warmup_seconds, self.validate_seconds
            return Schedule("seconds", total, warmup or WARMUP_SHARE * total, validate or VALIDATION_SHARE * total)
        steps = self.total_steps or DEFAULT_STEPS
        return Schedule(
            "steps",
            steps,
            self.warmup_steps or max(round(WARMUP_SHARE * steps), 1),
            self.validate_steps or max(round(VALIDATION_SHARE * steps), 1),
        )


def load_config(path: Path, overrides: list[str] | None = None) -> TrainingConfig:
    """Configuration from a YAML mapping, then from `name=value` strings.

    Raises:
        ConfigError: the file cannot be read, a name is not a setting, or a value cannot be used.
    """
    check_file(path, "expected a YAML file of settings", ConfigError, may_be_empty=True)
    try:
        values = load_yaml(path.read_text(encoding="utf-8")) or {}
        for override in overrides or []:
            name, _, value = override.partition("=")
            values[name] = load_yaml(value)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; expected a YAML file of settings") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except TypeError:
        values = None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected lines of `key: value`")
    try:
        return TrainingConfig(**{str(name): value for name, value in values.items()})
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def dump_config(config: TrainingConfig) -> str:
    """The configuration as YAML."""
    return dump_yaml(config.model_dump())
