"""The command `disa`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from disa.errors import DISAError
from disa.models import describe_model

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Multimodal image registration by DISA descriptors.")

FAILED = 1
"""Exit code of a command that was understood but could not be done; typer's own for a wrong command line is 2."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class Precision(str, Enum):
    """Of a network's arithmetic."""

    FP32 = "fp32"
    FP16 = "fp16"


class Stride(str, Enum):
    """Voxels between descriptors."""

    FOUR = "4"
    TWO = "2"
    ONE = "1"


@contextmanager
def _one_line() -> Iterator[None]:
    """Errors of this package become one line, or one for each file at fault, and an exit code."""
    try:
        yield
    except DISAError as error:
        for line in str(error).splitlines():
            typer.echo(f"disa: {line}", err=True)
        raise typer.Exit(FAILED) from None


@contextmanager
def _needs_training(command: str) -> Iterator[None]:
    """A package of the training side that is not installed becomes one line and an exit code."""
    try:
        yield
    except ModuleNotFoundError as error:
        typer.echo(f"disa: {command} needs {error.name}: pip install 'itk-disa[train]'", err=True)
        raise typer.Exit(FAILED) from None


@app.command()
def info(file: Annotated[Path, typer.Argument(help="an .onnx model")]) -> None:
    """Say what a model file is: stride, spacing, training data, licence."""
    with _one_line():
        about = describe_model(file)
    table = Table(show_header=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in about.items():
        table.add_row(name, value)
    Console().print(table)


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="written by training, or a file of weights")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the .onnx file to write")],
    stride: Annotated[Stride, typer.Option(help="voxels between descriptors")] = Stride.FOUR,
    precision: Annotated[Precision, typer.Option(help="of the arithmetic")] = Precision.FP32,
    name: Annotated[str, typer.Option(help="of the model; the file's if not given")] = "",
    version: Annotated[str, typer.Option(help="of the model")] = "1.0",
    training_data: Annotated[str, typer.Option(help="what it was trained on")] = "not stated",
    licence: Annotated[str, typer.Option(help="of the weights")] = "not stated",
) -> None:
    """Write a checkpoint as an ONNX model, once it has been checked and compared with PyTorch."""
    with _needs_training("export"):
        from disa.training.checkpoint import averaged_weights
        from disa.training.export import About, export_onnx
    about = About(name or output.stem.rsplit("-stride", 1)[0], version, training_data, licence)
    with _one_line():
        export_onnx(averaged_weights(checkpoint), int(stride.value), output, about, precision.value)
    typer.echo(f"{output}: {output.stat().st_size / 1e3:.0f} kB")


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="YAML file of settings; see disa.training.config")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder for checkpoint.pt, the log, its picture and the cache")
    ] = Path("training"),
    resume: Annotated[bool, typer.Option("--resume", help="go on from the checkpoint in the output folder")] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="in place of a setting of the file")
    ] = None,
    gpus: Annotated[int | None, typer.Option(min=0, help="to train on; all if not given, 0: the CPU")] = None,
    stop: Annotated[float, typer.Option(help="end this leg early, at so many steps or seconds of the run")] = math.inf,
) -> None:
    """Train the network on images of your own. Ctrl-C saves a checkpoint; --resume goes on from it."""
    with _needs_training("train"):
        from disa.training.config import load_config
        from disa.training.session import run_training, visible_devices
    try:
        with _one_line():
            settings = load_config(config, overrides)
            finished = run_training(settings, output, resume, stop, visible_devices(gpus))
    except KeyboardInterrupt:
        typer.echo("disa: interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if not finished:
        typer.echo(
            f"disa: interrupted, {output / 'checkpoint.pt'} is written; to go on: the same command with --resume",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)
    typer.echo(f"{output / 'checkpoint.pt'}: to use it: disa export {output / 'checkpoint.pt'} -o MODEL-stride4.onnx")
