"""`disa register`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from disa.commands.common import (
    PROVIDERS,
    Device,
    DeviceOption,
    JsonOption,
    ModelOption,
    SpacingOption,
    one_line,
    print_json,
)


class Kind(str, Enum):
    """Of transforms."""

    TRANSLATION = "translation"
    RIGID = "rigid"
    SIMILARITY = "similarity"
    AFFINE = "affine"


class Search(str, Enum):
    """Where to start from."""

    LOCAL = "local"
    GLOBAL = "global"


def register(
    fixed: Annotated[Path, typer.Argument(help="image file or folder with one DICOM series")],
    moving: Annotated[Path, typer.Argument(help="the image that is carried onto it")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for transform, moved image and report")],
    transform: Annotated[Kind, typer.Option(help="from fixed to moving points")] = Kind.RIGID,
    search: Annotated[Search, typer.Option(help="global: from 500 starts; local: from one")] = Search.GLOBAL,
    initial_transform: Annotated[
        Path | None, typer.Option(help="to start from, or about; centre on centre if not given")
    ] = None,
    fixed_mask: Annotated[Path | None, typer.Option(help="image; only where it is not 0 is compared")] = None,
    moving_mask: Annotated[Path | None, typer.Option(help="image; where it is 0 counts as outside")] = None,
    fixed_landmarks: Annotated[Path | None, typer.Option(help="CSV table x, y, z in mm (LPS), for the report")] = None,
    moving_landmarks: Annotated[Path | None, typer.Option(help="the same places in the moving image")] = None,
    spacing: SpacingOption = 2.0,
    fine_spacing: Annotated[float | None, typer.Option(help="mm, of a last stage; 1 is the most accurate")] = None,
    model: ModelOption = "disa-lc2",
    device: DeviceOption = Device.AUTO,
    seed: Annotated[int, typer.Option(help="of the starts")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="of the search; 0: all")] = 0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="say how long each stage took")] = False,
    as_json: JsonOption = False,
) -> None:
    """Register two images and write what there is to see into a folder.

    Written are transform.h5 and transform.tfm, moved.nii.gz, result.json and report.html.
    """
    with one_line():
        from disa.commands.registering import Request, run
        from disa.commands.tables import print_pairs

        request = Request(
            fixed=fixed,
            moving=moving,
            output=output,
            transform=transform.value,
            everywhere=search is Search.GLOBAL,
            initial_transform=initial_transform,
            masks=(fixed_mask, moving_mask),
            landmarks=(fixed_landmarks, moving_landmarks),
            spacing=spacing,
            fine_spacing=fine_spacing,
            model=model,
            providers=PROVIDERS[device],
            seed=seed,
            threads=threads,
        )
        found = run(request)
    if as_json:
        print_json(found)
        return
    lines: dict[str, object] = {
        "value": f"{found['value']:.4f}",
        "overlap": f"{100 * found['overlap']:.0f} %",
        "written": ", ".join(str(output / name) for name in found["files"]),
    }
    if verbose:
        lines.update({f"{name} (s)": f"{seconds:.2f}" for name, seconds in found["seconds"].items()})
    print_pairs(lines)
    for doubt in found["doubts"]:
        typer.echo(f"doubtful: {doubt}", err=True)
