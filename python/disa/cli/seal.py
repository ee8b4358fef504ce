# SPDX-License-Identifier: Apache-2.0
"""`disa seal`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from disa.cli.common import (
    LicenceOption,
    NameOption,
    SpacingOption,
    Stride,
    TrainingDataOption,
    VersionOption,
    needs_extra,
    one_line,
    path_argument,
    path_option,
)


class Scaling(str, Enum):
    """Of intensities; the names of `disa.network.traits.Normalisation`."""

    DEVIATION = "deviation"
    RANGE = "range"
    PERCENTILES = "percentiles"


def seal(
    network: Annotated[Path, path_argument(help="an .onnx file: one grey volume in, channels of each cell out")],
    output: Annotated[Path, path_option("--output", "-o", help="the .onnx file to write")],
    volumes: Annotated[
        list[Path] | None, path_argument(help="typical images; needed where there are more than 16 channels")
    ] = None,
    stride: Annotated[Stride, typer.Option(help="voxels between the network's outputs")] = Stride.FOUR,
    spacing: SpacingOption = 2.0,
    normalisation: Annotated[
        Scaling,
        typer.Option(
            help="what the network wants: zero mean and unit deviation, 0 to 1, or percentiles 1 and 99 at 0 and 1"
        ),
    ] = Scaling.DEVIATION,
    name: NameOption = "",
    version: VersionOption = "1.0",
    training_data: TrainingDataOption = "not stated",
    licence: LicenceOption = "not stated",
) -> None:
    """Make a model for --model out of any ONNX network, once it has been tried and measured."""
    with needs_extra("seal", "seal"):
        from disa.sealing.options import SealOptions
        from disa.sealing.seal import seal as make
    from disa.network.traits import Normalisation

    with one_line():
        kind = Normalisation[normalisation.name]
        options = SealOptions(int(stride.value), spacing, kind, name, version, training_data, licence)
        made = make(network, output, volumes or (), options)
    kept = f" as 16, which keep {made.kept:.1%} of the variance" if made.channels > 16 else ""
    field = made.receptive_field if not made.receptive_field.isdigit() else f"{made.receptive_field} voxels"
    typer.echo(f"{output}: {output.stat().st_size / 1e3:.0f} kB, {made.channels} channels{kept}; sees {field}")
