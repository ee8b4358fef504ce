# SPDX-License-Identifier: Apache-2.0
"""`disa export` and `disa train`."""

from __future__ import annotations

import math
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from disa.cli.common import (
    INTERRUPTED,
    LicenceOption,
    NameOption,
    Stride,
    TrainingDataOption,
    VersionOption,
    needs_extra,
    one_line,
    path_argument,
    path_option,
)


class Precision(str, Enum):
    """Of a network's arithmetic."""

    FP32 = "fp32"
    FP16 = "fp16"


def export(
    checkpoint: Annotated[Path, path_argument(help="written by training, or a file of weights")],
    output: Annotated[Path, path_option("--output", "-o", help="the .onnx file to write")],
    stride: Annotated[Stride, typer.Option(help="voxels between descriptors")] = Stride.FOUR,
    precision: Annotated[Precision, typer.Option(help="of the arithmetic")] = Precision.FP32,
    name: NameOption = "",
    version: VersionOption = "1.0",
    training_data: TrainingDataOption = "not stated",
    licence: LicenceOption = "not stated",
) -> None:
    """Write a checkpoint as an ONNX model, once it has been checked and compared with PyTorch."""
    with needs_extra("export", "train"):
        from disa.training.export.onnx_file import About, export_onnx
        from disa.training.model.checkpoint import averaged_weights
    about = About(name or output.stem.rsplit("-stride", 1)[0], version, training_data, licence)
    with one_line():
        export_onnx(averaged_weights(checkpoint), int(stride.value), output, about, precision.value)
    typer.echo(f"{output}: {output.stat().st_size / 1e3:.0f} kB")


def train(
    config: Annotated[Path, path_argument(help="YAML file of settings; see disa.training.config")],
    output: Annotated[
        Path, path_option("--output", "-o", help="folder for checkpoint.pt, the log, its picture and the cache")
    ] = Path("training"),
    resume: Annotated[bool, typer.Option("--resume", help="go on from the checkpoint in the output folder")] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="in place of a setting of the file")
    ] = None,
    gpus: Annotated[int | None, typer.Option(min=0, help="to train on; all if not given, 0: the CPU")] = None,
    stop: Annotated[float, typer.Option(help="end this leg early, at so many steps or seconds of the run")] = math.inf,
) -> None:
    """Train the network on images of your own. Ctrl-C saves a checkpoint; --resume goes on from it."""
    with needs_extra("train", "train"):
        from disa.training.config import load_config
        from disa.training.run.session import run_training, visible_devices
    with one_line():
        settings = load_config(config, overrides)
        finished = run_training(settings, output, resume, stop, visible_devices(gpus))
    checkpoint = output / "checkpoint.pt"
    if not finished:
        typer.echo(
            f"disa: interrupted, {checkpoint} is written; to go on: the same command with --resume",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)
    typer.echo(f"{checkpoint}: to use it: disa export {checkpoint} -o MODEL-stride4.onnx")
