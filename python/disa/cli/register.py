"""`disa register`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from disa.cli.common import (
    DeformableOption,
    Device,
    DeviceOption,
    FineSpacingOption,
    FixedStrideOption,
    JsonOption,
    Kind,
    KindOption,
    ModelOption,
    Search,
    SearchOption,
    SeedOption,
    SpacingOption,
    ThreadsOption,
    one_line,
    print_json,
    providers_of,
)

if TYPE_CHECKING:
    from disa.pose.probe_pressure import ProbePressure

Point = tuple[float, float, float]


def register(
    fixed: Annotated[Path, typer.Argument(help="image file or folder with one DICOM series")],
    moving: Annotated[Path, typer.Argument(help="the image that is carried onto it")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for transform, moved image and report")],
    transform: KindOption = Kind.RIGID,
    deformable: DeformableOption = False,
    search: SearchOption = Search.GLOBAL,
    initial_transform: Annotated[
        Path | None, typer.Option(help="to start from, or about; centre on centre if not given")
    ] = None,
    fixed_mask: Annotated[Path | None, typer.Option(help="image; only where it is not 0 is compared")] = None,
    moving_mask: Annotated[Path | None, typer.Option(help="image; where it is 0 counts as outside")] = None,
    probe_contact: Annotated[Point | None, typer.Option(help="where an ultrasound probe touches, x y z in mm")] = None,
    probe_axis: Annotated[Point | None, typer.Option(help="its direction into the body, x y z")] = None,
    probe_depth: Annotated[float | None, typer.Option(help="mm beyond which its push moves nothing")] = None,
    fixed_landmarks: Annotated[Path | None, typer.Option(help="CSV table x, y, z in mm (LPS), for the report")] = None,
    moving_landmarks: Annotated[Path | None, typer.Option(help="the same places in the moving image")] = None,
    truth: Annotated[Path | None, typer.Option(help="the true transform, to measure the result by")] = None,
    spacing: SpacingOption = 2.0,
    fine_spacing: FineSpacingOption = None,
    stride: FixedStrideOption = None,
    model: ModelOption = "disa-lc2",
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    threads: ThreadsOption = 0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="say how long each stage took")] = False,
    as_json: JsonOption = False,
) -> None:
    """Register two images and write what there is to see into a folder.

    Written are transform.h5, transform.tfm where it is linear, moved.nii.gz, report.html, and at last result.json.
    """
    with one_line():
        from disa.cli.progress_bar import progress_bar
        from disa.cli.tables import print_pairs
        from disa.report.job import Inputs, Options, Request, run

        inputs = Inputs(
            fixed=fixed,
            moving=moving,
            initial_transform=initial_transform,
            fixed_mask=fixed_mask,
            moving_mask=moving_mask,
            fixed_landmarks=fixed_landmarks,
            moving_landmarks=moving_landmarks,
            truth=truth,
        )
        options = Options(
            transform=transform.value,
            everywhere=search is Search.GLOBAL,
            deformable=deformable,
            probe=_probe(transform, probe_contact, probe_axis, probe_depth),
            spacing=spacing,
            fine_spacing=fine_spacing,
            stride=None if stride is None else int(stride.value),
            model=model,
            providers=providers_of(device),
            seed=seed,
            threads=threads,
        )
        options.check()
        with progress_bar(options.plan):
            found = run(Request(inputs, options, output))
    if as_json:
        print_json(found)
        return
    lines: dict[str, object] = {
        "value": f"{found['value']:.4f}",
        "overlap": f"{100 * found['overlap']:.0f} %",
        **({"folded cells": f"{100 * found['deformation']['folds']:.2g} %"} if deformable else {}),
        "written": ", ".join(str(output / name) for name in found["files"]),
    }
    if verbose:
        lines.update({f"{name} (s)": f"{seconds:.2f}" for name, seconds in found["seconds"].items()})
    print_pairs(lines)
    for doubt in found["doubts"]:
        typer.echo(f"doubtful: {doubt}", err=True)


def _probe(kind: Kind, contact: Point | None, axis: Point | None, depth: float | None) -> ProbePressure | None:
    from disa.errors import ConfigError
    from disa.pose.probe_pressure import ProbePressure

    given = [kind is Kind.PROBE, contact is not None, axis is not None, depth is not None]
    if any(given) and not all(given):
        raise ConfigError(
            "--transform probe, --probe-contact, --probe-axis and --probe-depth go together; give all of them or none"
        )
    return ProbePressure(contact, axis, depth) if contact and axis and depth is not None else None
