"""`disa register`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from disa.cli.arguments import FileArguments, ProbeArguments, RegistrationArguments, spread
from disa.cli.common import JsonOption, one_line, print_json


@spread
def register(
    files: FileArguments,
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for transform, moved image and report")],
    how: RegistrationArguments,
    probe: ProbeArguments,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="say how long each stage took")] = False,
    as_json: JsonOption = False,
) -> None:
    """Register two images and write what there is to see into a folder.

    Written are transform.h5, transform.tfm where it is linear, moved.nii.gz, report.html, and at last result.json.
    """
    with one_line():
        from disa.cli.progress_bar import progress_bar
        from disa.cli.tables import print_pairs
        from disa.report.job import Request, run

        options = how.options(probe.probe(how.transform))
        with progress_bar(options.plan):
            found = run(Request(files.inputs(), options, output))
    if as_json:
        print_json(found)
        return
    lines: dict[str, object] = {
        "value": f"{found['value']:.4f}",
        "overlap": f"{100 * found['overlap']:.0f} %",
        **({"folded cells": f"{100 * found['deformation']['folds']:.2g} %"} if how.deformable else {}),
        "written": ", ".join(str(output / name) for name in found["files"]),
    }
    if verbose:
        lines.update({f"{name} (s)": f"{seconds:.2f}" for name, seconds in found["seconds"].items()})
    print_pairs(lines)
    for doubt in found["doubts"]:
        typer.echo(f"doubtful: {doubt}", err=True)
