# SPDX-License-Identifier: Apache-2.0
"""What commands share: exit codes, errors in one line, devices, files that are there as a whole or not at all."""

from __future__ import annotations

import functools
import json
import shlex
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Annotated, Any

import typer

from disa.errors import ConfigError, DISAError, ImageWarning
from disa.installing import install_command
from disa.threads import check_threads_start

FAILED = 1
"""Exit code of a command that was understood but could not be done."""
WRONG = 2
"""Exit code of a wrong command line, as typer has it."""
UNSURE = 3
"""Exit code of `disa register --strict` where all was written and the pose is rather wrong than right."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class Stride(str, Enum):
    """Voxels between descriptors."""

    FOUR = "4"
    TWO = "2"
    ONE = "1"


class Kind(str, Enum):
    """Of transforms."""

    TRANSLATION = "translation"
    RIGID = "rigid"
    SIMILARITY = "similarity"
    AFFINE = "affine"
    PROBE = "probe"


class Search(str, Enum):
    """Where to start from."""

    LOCAL = "local"
    GLOBAL = "global"


class Device(str, Enum):
    """What the network runs on."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


def providers_of(device: Device) -> list[str] | None:
    """ONNX Runtime's execution providers of a device, best first; None: the best there is."""
    from disa.network.providers import GPU
    from disa.network.session import processor_providers

    if device is Device.AUTO:
        return None
    return [GPU] if device is Device.GPU else processor_providers()


path_argument = functools.partial(typer.Argument, readable=False)
path_option = functools.partial(typer.Option, readable=False)
"""Of files; what cannot be read is said by whoever reads it."""

ModelOption = Annotated[str, typer.Option(help="a shipped model's name, or an .onnx file")]
DeviceOption = Annotated[
    Device, typer.Option(metavar="DEVICE", help="for the network: auto, cpu or gpu; auto: the GPU where CUDA runs")
]
NameOption = Annotated[str, typer.Option(help="of the model; the file's if not given")]
VersionOption = Annotated[str, typer.Option(help="of the model")]
TrainingDataOption = Annotated[str, typer.Option(help="what it was trained on")]
LicenceOption = Annotated[str, typer.Option(help="of the weights")]
SpacingOption = Annotated[float, typer.Option(help="mm between the voxels that the network sees")]
SeriesOption = Annotated[
    str | None, typer.Option(help="number or UID of the DICOM series, where a folder holds several")
]
ShearedOption = Annotated[
    bool, typer.Option("--resample-sheared", help="resample images whose axes are not at right angles; else refused")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


class OptionError(ConfigError):
    """Options that need or exclude each other."""


def check_together(given: Mapping[str, object], done: str = "give both") -> None:
    """Raises OptionError where some of these options are given and others are None, with what is to be done."""
    if len({value is None for value in given.values()}) > 1:
        *names, last = given
        raise OptionError(f"{', '.join(names)} and {last} go together; {done}")


@contextmanager
def one_line() -> Iterator[None]:
    """Errors of this package become one line, or one for each file at fault, and an exit code; so does Ctrl-C.

    Warnings about images become a line each.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", ImageWarning)
            warnings.showwarning = _show_warning
            check_threads_start()
            yield
    except DISAError as error:
        for line in str(error).splitlines():
            typer.echo(f"disa: {line}", err=True)
        raise typer.Exit(WRONG if isinstance(error, OptionError) else FAILED) from None
    except KeyboardInterrupt:
        typer.echo("disa: interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    typer.echo(f"disa: {'' if issubclass(category, ImageWarning) else category.__name__ + ': '}{message}", err=True)


@contextmanager
def needs_extra(command: str, extra: str) -> Iterator[None]:
    """A package of an extra that is not installed becomes one line and an exit code."""
    try:
        yield
    except ModuleNotFoundError as error:
        typer.echo(f"disa: {command} needs {error.name}: {install_command(extra)}", err=True)
        raise typer.Exit(FAILED) from None


def typed_command() -> str:
    """The command line, as a shell takes it again."""
    return shlex.join(["disa", *sys.argv[1:]])


def print_json(content: Any) -> None:
    """For machines: indented, no NaN."""
    typer.echo(json.dumps(content, indent=2, allow_nan=False))
