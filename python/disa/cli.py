"""The command `disa`."""

from __future__ import annotations

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
    """Errors of this package become one line and an exit code."""
    try:
        yield
    except DISAError as error:
        typer.echo(f"disa: {error}", err=True)
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
    try:
        from disa.training.export import About, averaged_weights, export_onnx
    except ModuleNotFoundError as error:
        typer.echo(f"disa: export needs {error.name}: pip install 'itk-disa[train]'", err=True)
        raise typer.Exit(FAILED) from None
    about = About(name or output.stem.rsplit("-stride", 1)[0], version, training_data, licence)
    with _one_line():
        export_onnx(averaged_weights(checkpoint), int(stride.value), output, about, precision.value)
    typer.echo(f"{output}: {output.stat().st_size / 1e3:.0f} kB")
