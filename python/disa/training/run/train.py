# SPDX-License-Identifier: Apache-2.0
"""The training loop; `disa train` runs it."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from disa.errors import ConfigError, ModelError, TrainingError
from disa.training.config import TrainingConfig
from disa.training.data.volumes import Volume
from disa.training.files import write
from disa.training.learning.balance import BinWeights
from disa.training.learning.error import DescriptorError, Errors, Form
from disa.training.learning.optimisers import make_optimisers, set_rate
from disa.training.model.checkpoint import averaged_weights, load_checkpoint, save_checkpoint
from disa.training.model.network import DISANet, shared_network
from disa.training.run.display import Display
from disa.training.run.log import Log
from disa.training.run.plot import draw
from disa.training.sampling.compare import Batch, make_batch
from disa.training.sampling.pairs import PairSampler
from disa.training.targets.similarity import find_similarity
from disa.training.team import ALONE, Team
from disa.training.validate.paper_pairs import PatchPair, load_pairs
from disa.training.validate.pose_validation import validate_poses
from disa.training.validate.score_pairs import similarities
from disa.training.validate.validation import CONDITIONS, validate

CHECKPOINT = "checkpoint.pt"
LOG = "training_log.csv"
CURVE = "training_curve.png"

MAX_GRADIENT_NORM = 1.0
#: Settings that a run cannot change when it goes on.
FIXED = ("similarity", "bins")


class Trainer:
    """State of a run, all of it in its checkpoints.

    A step's random numbers depend on the seed, the step and the process alone, so where a run was stopped and
    resumed does not show in the order of its data.

    Args:
        config: settings.
        volumes: to train on, all on one device; the network is put there.
        held_out: to validate on, likewise; only the first process needs them.
        output: folder for the checkpoint, the log and the loss curve.
        display: told how the run goes; None says nothing.
        team: the processes of the run. Each trains on its share of the pairs of a step.

    Raises:
        ConfigError: the pairs of a step cannot be shared out evenly, or the patch pairs to log cannot be used.
    """

    def __init__(
        self,
        config: TrainingConfig,
        volumes: list[Volume],
        held_out: list[Volume],
        output: Path,
        display: Display | None = None,
        team: Team = ALONE,
    ) -> None:
        if config.batch_pairs % team.size:
            raise ConfigError(f"batch_pairs is {config.batch_pairs}, expected a multiple of the {team.size} GPUs")
        self.config, self.held_out, self.output, self.team = config, held_out, output, team
        self.device = volumes[0].data.device
        self.schedule = config.schedule
        self._display = display
        extent = find_similarity(config.similarity).range
        self._set_precision()
        torch.manual_seed(config.seed)
        self.sampler = PairSampler(volumes, config, np.random.default_rng(config.seed))
        self.network = DISANet().to(self.device)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.optimisers = make_optimisers(self.network, config)
        self.weights = BinWeights(config.bins, extent, self.device, team)
        bf16 = config.precision == "bf16" and self.device.type == "cuda"
        self._form = Form.of(config, extent, torch.bfloat16 if bf16 else torch.float32)
        error = DescriptorError(self.network, self._form)
        self._error = DistributedDataParallel(error) if team.size > 1 else error
        self.step = 0
        self.seconds = 0.0
        self.log = Log()
        self._pairs = self._held_out_pairs() if config.pairs and team.leads else []
        self._loss = torch.zeros(len(Errors._fields), dtype=torch.float64, device=self.device)
        self._losses = 0
        self._saved = -1

    def _held_out_pairs(self) -> list[PatchPair]:
        pairs = load_pairs(Path(self.config.pairs))
        named = {name for pair in pairs for name in (pair.moving, pair.fixed)}
        unknown = sorted(named - {volume.info.name for volume in self.held_out})
        if unknown:
            raise ConfigError(f"pairs: {self.config.pairs}: has {unknown[0]}, which is not among the held-out volumes")
        return pairs

    def _set_precision(self) -> None:
        reduced = self.config.precision != "fp32"
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = reduced
        torch.backends.cuda.matmul.allow_tf32 = reduced

    @property
    def done(self) -> float:
        """How much of the run is done, in the unit of its schedule."""
        return self.step if self.schedule.unit == "steps" else self.seconds

    def draw(self, rank: int) -> Batch:
        """The part of the current step's pairs that belongs to a process."""
        numbers = np.random.SeedSequence([self.config.seed, self.step, rank])
        self.sampler.random = np.random.default_rng(numbers)
        torch.manual_seed(int(numbers.generate_state(1, np.uint64)[0]))
        count = self.config.batch_pairs // self.team.size
        return make_batch([self.sampler.draw() for _ in range(count)], self.config, augment=True)

    def learn(self, batch: Batch) -> Tensor:
        """One optimiser step.

        Returns:
            The loss on this process' part, a scalar still on the device.
        """
        errors: Errors = self._error(batch, self.weights.update(batch.target))
        loss = errors.total(self._form)
        self.network.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        set_rate(self.optimisers, self.schedule.rate(self.done))
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        self._average()
        self._loss += torch.stack(errors).detach()
        self._losses += 1
        return loss.detach()

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.averaged.parameters()), list(self.network.parameters()), 1 - decay)

    def run(self, stop: float = math.inf, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Train to the end of the schedule; log, validate and save on the way, and save at the end.

        The first step, in which kernels are compiled, takes no time of a schedule in seconds.

        Args:
            stop: end earlier, in the unit of the schedule.
            interrupted: asked before every step whether to end now.

        Raises:
            TrainingError: the loss is not finite, or a file cannot be written.
        """
        end = min(stop, self.schedule.total)
        begin, offset = math.inf, self.seconds
        next_validation, next_save = self.schedule.next_validation(self.done), math.inf
        mark = (self.step, self.seconds)
        while True:
            elapsed = max(time.monotonic() - begin, 0.0)
            self.seconds, halt = self.team.of_first(offset + elapsed, interrupted())
            if self.team.leads:
                if self._display:
                    self._display.training(self.step, self.done)
                if self.done >= next_validation and self.step > mark[0]:
                    self._report(mark)
                    mark = (self.step, offset + time.monotonic() - begin)
                    next_validation = self.schedule.next_validation(self.done)
                    self._save()
                    next_save = time.monotonic() + self.config.save_seconds
                elif time.monotonic() >= next_save:
                    self._save()
                    next_save = time.monotonic() + self.config.save_seconds
            if halt or self.done >= end:
                break
            self.learn(self.draw(self.team.rank))
            if begin == math.inf:
                self._mean_errors()
                begin = time.monotonic()
                next_save = begin + self.config.save_seconds
        if self.team.leads and self._saved != self.step:
            self._save()

    def _mean_errors(self) -> list[float]:
        """Those of `Errors`, over the steps since the last line of the log; waits for the device."""
        means: list[float] = (self._loss / max(self._losses, 1)).tolist()
        if not all(map(math.isfinite, means)):
            raise TrainingError(
                f"the loss is {sum(means)} at step {self.step}; lower learning_rate and go on from "
                f"{self.output / CHECKPOINT} with --resume, or start anew"
            )
        return means

    def _report(self, mark: tuple[int, float]) -> None:
        """Validate the averaged weights, add a line to the log and draw it.

        Args:
            mark: step and seconds at the last report or the beginning of the leg.
        """
        error, pose, position = self._mean_errors()
        pairs = (self.step - mark[0]) * self.config.batch_pairs * self.config.positions**2
        elapsed = self.seconds - mark[1]
        row = {
            "seconds": f"{self.seconds:.1f}",
            "step": str(self.step),
            "pairs_per_second": f"{pairs / elapsed:.3g}" if elapsed > 0 else "",  # a leg's first step is not timed
            "learning_rate": f"{self.schedule.rate(self.done) * self.config.learning_rate:.3g}",
            "train_error": f"{error:.5f}",
        }
        if self.config.position_weight:
            row["train_position_error"] = f"{position:.4f}"
        scores = validate(self.averaged, self.held_out, self.config, self.config.validate_batches)
        for condition in CONDITIONS:
            row[f"{condition.name}_error"] = f"{scores[condition.name].error:.5f}"
            row[f"{condition.name}_correlation"] = f"{scores[condition.name].correlation:.4f}"
        if self.config.pose_weight:
            row["train_pose_error"] = f"{pose:.4f}"
            of_poses = validate_poses(self.averaged, self.held_out, self.config, self.config.validate_batches)
            for name, of in of_poses.items():
                row[f"{name}_pose_error"], row[f"{name}_pose_accuracy"] = f"{of.error:.4f}", f"{of.accuracy:.4f}"
        if self._pairs:
            dense = shared_network(self.averaged, 1)
            (predicted,) = similarities(dense, {v.info.name: v for v in self.held_out}, self._pairs)
            row["pairs_error"] = f"{np.mean((predicted - [pair.lc2 for pair in self._pairs]) ** 2):.5f}"
        self.log.add(row)
        self._loss.zero_()
        self._losses = 0
        if self._display:
            self._display.validated(row)

    def _save(self) -> None:
        """Write the checkpoint, which has everything needed to go on, then the log and its picture."""
        self._mean_errors()
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "shares": self.weights.shares,
            "step": self.step,
            "seconds": self.seconds,
            "loss": self._loss,
            "losses": self._losses,
            "log": self.log.text(),
            "config": self.config.model_dump(),
        }
        save_checkpoint(self.output / CHECKPOINT, state)
        self._saved = self.step
        if self.log.rows:
            write(self.output / LOG, self.log.text().encode())
            write(self.output / CURVE, draw(self.log.rows))

    def start_from(self, weights: Path) -> None:
        """Begin with the averaged weights of a checkpoint, or with those of a file that holds weights alone.

        Raises:
            ModelError: the file is missing, or is of another network.
        """
        state = averaged_weights(weights)
        for network in (self.network, self.averaged):
            network.load_state_dict(state)

    def resume(self, checkpoint: Path) -> None:
        """Go on where a checkpoint was written.

        Raises:
            ModelError: it is missing, is no checkpoint, or is of another network, similarity or number of bins.
        """
        state = load_checkpoint(checkpoint)
        for name in FIXED:
            was, now = state["config"][name], getattr(self.config, name)
            if was != now:
                raise ModelError(f"{checkpoint}: trained with {name}: {was}, not {now}; start a run of its own with -o")
        changed = [f"{k}: {v}" for k, v in self.config.model_dump().items() if state["config"].get(k) != v]
        if changed and self._display:
            self._display.note(f"{checkpoint}: goes on with other settings than before, {', '.join(changed)}")
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.weights.shares = state["shares"].to(self.device)
        self.step, self.seconds = state["step"], state["seconds"]
        self._loss.copy_(state["loss"])
        self._losses = state["losses"]
        self.log = Log(state["log"])
        self._saved = self.step
