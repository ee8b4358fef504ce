# SPDX-License-Identifier: Apache-2.0
"""A run from its settings: volumes, processes, trainer. `disa train` calls `run_training`."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import multiprocessing

from disa.errors import ConfigError, DISAError, ModelError, TrainingError
from disa.training.config import TrainingConfig, dump_config
from disa.training.data.catalog import Source, find_sources
from disa.training.data.prepare import prepare
from disa.training.data.volumes import VolumeInfo, load_cache, of_split
from disa.training.files import write
from disa.training.model.checkpoint import averaged_weights
from disa.training.run.display import make_display
from disa.training.run.train import CHECKPOINT, Trainer
from disa.training.team import ALONE, Team, take_part

#: First compute capability with bfloat16.
BF16_CAPABILITY = (8, 0)


@dataclass(frozen=True)
class Job:
    """What every process of a run is told.

    Attributes:
        config: settings.
        cache: file of the volumes.
        infos: of the volumes, in place of those in the cache.
        output: folder.
        resume: go on from the checkpoint in `output`.
        stop: end this leg early, in the unit of the schedule.
        devices: one a process.
    """

    config: TrainingConfig
    cache: Path
    infos: list[VolumeInfo] | None
    output: Path
    resume: bool
    stop: float
    devices: list[str]


def visible_devices(count: int | None = None) -> list[str]:
    """GPUs to train on, or the CPU.

    Args:
        count: of GPUs; all if None, the CPU if 0.

    Raises:
        ConfigError: there are not so many.
    """
    visible = torch.cuda.device_count()
    if count is not None and not 0 <= count <= visible:
        raise ConfigError(f"--gpus is {count}, but {visible} can be used; give a number from 0 (the CPU) to {visible}")
    chosen = visible if count is None else count
    return [f"cuda:{index}" for index in range(chosen)] or ["cpu"]


def run_training(config: TrainingConfig, output: Path, resume: bool, stop: float, devices: list[str]) -> bool:
    """Read the volumes unless their cache is there, and train.

    Args:
        config: settings.
        output: folder for everything that is written.
        resume: go on from the checkpoint in `output`.
        stop: end this leg early, in the unit of the schedule.
        devices: one a process.

    Returns:
        Whether the leg came to its end; False after Ctrl-C, once a checkpoint is written.

    Raises:
        DISAError: something is wrong with the settings, an image, the checkpoint or the disk.
    """
    checkpoint = output / CHECKPOINT
    if not resume and checkpoint.exists():
        raise TrainingError(f"{checkpoint}: is there already; add --resume to go on from it, or choose another -o")
    if resume and not checkpoint.exists():
        raise ModelError(f"{checkpoint}: no such file; leave out --resume to start a run")
    _check_devices(config, devices)
    if config.initial_weights and not resume:
        averaged_weights(Path(config.initial_weights))  # before hours of reading
    cache, infos = Path(config.cache or output / "cache.npz"), None
    if config.images or config.groups:
        sources = find_sources(config)
        display = make_display(config.schedule, 1)
        try:
            prepare(sources, cache, display.reading)
            display.note(_summary(sources))
        finally:
            display.close()
        infos = [source.info for source in sources]
    elif not config.cache:
        raise ConfigError("neither images nor cache is given; set images to a folder of volumes")
    write(output / "config.yaml", dump_config(config).encode())
    return _launch(Job(config, cache, infos, output, resume, stop, devices))


def _summary(sources: list[Source]) -> str:
    """How many volumes are for what, and whose are held out."""
    counts = Counter(source.info.split for source in sources)
    held_out = sorted({source.info.subject for source in sources if source.info.split == "validation"})
    return f"{counts['train']} volumes to train on, {counts['validation']} held out, of {', '.join(held_out)}"


def _check_devices(config: TrainingConfig, devices: list[str]) -> None:
    gpus = [torch.device(device) for device in devices if device != "cpu"]
    if config.precision == "bf16" and any(torch.cuda.get_device_capability(gpu) < BF16_CAPABILITY for gpu in gpus):
        raise ConfigError("precision is bf16, which this GPU does not have; set precision: fp32")


def _launch(job: Job) -> bool:
    """Run one process a device: this one, if there is only one."""
    if len(job.devices) == 1:
        return _leg(job, ALONE)
    results = multiprocessing.get_context("spawn").SimpleQueue()
    with tempfile.TemporaryDirectory() as folder, _handling_interrupts(signal.SIG_IGN):
        processes = multiprocessing.start_processes(
            _member, (job, folder, results), len(job.devices), join=False, start_method="spawn"
        )
        try:
            while not processes.join():
                pass
        except (multiprocessing.ProcessExitedException, multiprocessing.ProcessRaisedException) as error:
            if results.empty() and isinstance(error, multiprocessing.ProcessExitedException):
                raise TrainingError("a process of the run was ended from outside; go on with --resume") from None
            if results.empty():
                raise
    result: bool | DISAError = results.get()
    if isinstance(result, DISAError):
        raise result
    return result


def _member(rank: int, job: Job, folder: str, results: Any) -> None:
    """One process of several. The first tells how the run ended; any may say what is wrong."""
    team = Team(rank, len(job.devices))
    device = torch.device(job.devices[rank])
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    try:
        complete = take_part(team, backend, Path(folder) / "meeting", partial(_leg, job))
    except DISAError as error:
        results.put(error)
        raise SystemExit(1) from None
    if team.leads:
        results.put(complete)


def _leg(job: Job, team: Team) -> bool:
    """What one process does. Returns whether it was not interrupted."""
    device = torch.device(job.devices[team.rank])
    config = job.config
    with _interrupts(team) as interrupted:
        pairs = config.batch_pairs * config.positions**2
        display = make_display(config.schedule, pairs) if team.leads else None
        try:
            volumes = load_cache(job.cache, device, job.infos, ("train", "validation") if team.leads else ("train",))
            splits = {split: of_split(volumes, split) for split in ("train", "validation")}
            for split, found in splits.items():
                if not found and team.leads:
                    raise ConfigError(f"{job.cache}: holds no volumes for {split}; give images to make it from")
            trainer = Trainer(config, splits["train"], splits["validation"], job.output, display, team)
            if job.resume:
                trainer.resume(job.output / CHECKPOINT)
            elif config.initial_weights:
                trainer.start_from(Path(config.initial_weights))
            trainer.run(job.stop, interrupted)
        except torch.cuda.OutOfMemoryError:
            raise TrainingError(f"{device}: out of memory; lower batch_pairs, positions or crop_size") from None
        finally:
            if display:
                display.close()
        return not interrupted()


@contextmanager
def _interrupts(team: Team) -> Iterator[Callable[[], bool]]:
    """Ctrl-C as a question whether it was pressed; pressed again it ends the process at once."""
    pressed = threading.Event()

    def note(number: int, frame: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    with _handling_interrupts(note if team.leads else signal.SIG_IGN):
        yield pressed.is_set


@contextmanager
def _handling_interrupts(handler: Any) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
