"""Train the network: python -m disa.training.train CONFIG --help."""

from __future__ import annotations

import argparse
import copy
import csv
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from disa.training.balance import BinWeights
from disa.training.compare import make_batch
from disa.training.config import TrainingConfig, dump_config, load_config
from disa.training.folded import error
from disa.training.muon import Muon
from disa.training.network import DISANet
from disa.training.pairs import PairSampler, of_split, seed_all
from disa.training.validation import CONDITIONS, validate
from disa.training.volumes import load_cache

FINAL_RATE = 1e-3
MAX_GRADIENT_NORM = 1.0
#: Weights with no more inputs than this, and biases, are left to AdamW.
MIN_MUON_INPUTS = 32


def make_optimisers(network: DISANet, config: TrainingConfig) -> list[torch.optim.Optimizer]:
    """Muon for the convolutions that mix channels, AdamW for the rest, with the peak rate in each group."""
    mixing = [p for p in network.parameters() if p[0].numel() > MIN_MUON_INPUTS]
    others = [p for p in network.parameters() if p[0].numel() <= MIN_MUON_INPUTS]
    rates = config.learning_rate, config.other_learning_rate
    muon = Muon([{"params": mixing, "peak": rates[0]}], rates[0], weight_decay=config.weight_decay)
    adam = torch.optim.AdamW([{"params": others, "peak": rates[1]}], rates[1], weight_decay=config.weight_decay)
    return [muon, adam]


class Trainer:
    """State of a run, all of it in its checkpoints.

    Args:
        config: settings.
        device: where volumes and network live.
        output: folder for the checkpoint, the averaged weights, the log and the settings.
    """

    def __init__(self, config: TrainingConfig, device: torch.device, output: Path) -> None:
        self.config, self.device, self.output = config, device, output
        random = seed_all(config.seed)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cuda.matmul.allow_tf32 = True
        volumes = load_cache(Path(config.cache), device)
        self.held_out = of_split(volumes, "validation")
        self.sampler = PairSampler(of_split(volumes, "train"), config, random)
        self.network = DISANet().to(device)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.optimisers = make_optimisers(self.network, config)
        self.weights = BinWeights(config.bins, device)
        self.step = 0
        self.seconds = 0.0

    def rate(self) -> float:
        """Share of the peak learning rates: linear warm-up, then half a cosine over the run's seconds."""
        c = self.config
        progress = min(self.seconds / c.total_seconds, 1.0)
        cosine = FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress))
        return cosine * min(1.0, (self.seconds + 0.5) / c.warmup_seconds)

    def train_step(self) -> Tensor:
        """One optimiser step.

        Returns:
            The loss, a scalar still on the device.
        """
        c = self.config
        batch = make_batch([self.sampler.draw() for _ in range(c.batch_pairs)], c, augment=True)
        loss = error(self.network, batch, self.weights.update(batch.target))
        self.network.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        rate = self.rate()
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group["peak"]
            optimiser.step()
        self.step += 1
        self._average()
        return loss.detach()

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.averaged.parameters()), list(self.network.parameters()), 1 - decay)

    def run(self, stop: float) -> None:
        """Train until `seconds` reaches `stop`; log, validate and save on the way. The first step is not timed.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        losses = [self.train_step()]
        losses[0].item()  # compilation, while the clock waits
        begin, offset = time.monotonic(), self.seconds
        next_report = self.seconds + min(self.config.validate_seconds, stop / 2)
        reported = (self.step, self.seconds)
        while self.seconds < stop:
            losses.append(self.train_step())
            self.seconds = offset + time.monotonic() - begin
            if self.seconds >= next_report or self.seconds >= stop:
                mean_loss = float(torch.stack(losses).mean())
                if not math.isfinite(mean_loss):
                    raise FloatingPointError(f"loss is {mean_loss} at step {self.step}")
                pairs = (self.step - reported[0]) * self.config.batch_pairs
                rate = pairs * self.config.positions**2 / (self.seconds - reported[1])
                self.report(mean_loss, rate)
                self.save()
                losses.clear()
                self.seconds = offset + time.monotonic() - begin
                reported = (self.step, self.seconds)
                next_report = self.seconds + self.config.validate_seconds

    def report(self, loss: float, pairs_per_second: float) -> None:
        """Validate the averaged weights and add a line to the log."""
        scores = validate(self.averaged, self.held_out, self.config)
        row: dict[str, float | int | str] = {
            "seconds": round(self.seconds, 1),
            "step": self.step,
            "pairs_per_second": f"{pairs_per_second:.3g}",
            "learning_rate": f"{self.rate() * self.config.learning_rate:.3g}",
            "train_error": f"{loss:.5f}",
        }
        for condition in CONDITIONS:
            row[f"{condition.name}_error"] = f"{scores[condition.name].error:.5f}"
            row[f"{condition.name}_correlation"] = f"{scores[condition.name].correlation:.4f}"
        path = self.output / "training_log.csv"
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        print(" ".join(f"{name}={value}" for name, value in row.items()), flush=True)

    def save(self) -> None:
        """Write everything needed to go on, and the averaged weights by themselves."""
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "shares": self.weights.shares,
            "step": self.step,
            "seconds": self.seconds,
            "random": self.sampler.random.bit_generator.state,
            "torch_random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state_all(),
            "log": (self.output / "training_log.csv").read_text(),
        }
        temporary = self.output / "checkpoint.tmp"
        torch.save(state, temporary)
        temporary.replace(self.output / "checkpoint.pt")

    def resume(self, checkpoint: Path) -> None:
        """Go on where a checkpoint was written."""
        state = torch.load(checkpoint, map_location="cpu", weights_only=False)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.weights.shares = state["shares"].to(self.device)
        self.step, self.seconds = state["step"], state["seconds"]
        self.sampler.random.bit_generator.state = state["random"]
        torch.set_rng_state(state["torch_random"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state_all(state["cuda_random"])
        (self.output / "training_log.csv").write_text(state["log"])


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path, help="YAML settings")
    parser.add_argument("-o", "--output", type=Path, default=Path("training"))
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", dest="overrides")
    parser.add_argument("--resume", type=Path, help="checkpoint to go on from")
    parser.add_argument("--stop", type=float, help="end this leg at so many seconds of the run")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()

    config = load_config(arguments.config, arguments.overrides)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "config.yaml").write_text(dump_config(config))
    trainer = Trainer(config, torch.device(arguments.device), arguments.output)
    if arguments.resume:
        trainer.resume(arguments.resume)
    trainer.run(arguments.stop or config.total_seconds)


if __name__ == "__main__":
    main()
