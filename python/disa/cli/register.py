# SPDX-License-Identifier: Apache-2.0
"""`disa register`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from disa.cli.arguments import FileArguments, ProbeArguments, RegistrationArguments, spread
from disa.cli.common import UNSURE, JsonOption, one_line, path_option, print_json, typed_command
from disa.cli.program import Command
from disa.cli.settings_file import SettingsOption

STRICT = "0.5"
"""Least confidence that `--strict` asks for where it is given no other."""


class RegisterCommand(Command):
    """A command whose `--strict` may stand without a number."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Arguments with the number filled in."""
        filled: list[str] = []
        for index, argument in enumerate(args):
            filled.append(argument)
            if argument == "--strict" and not _is_number(args[index + 1 : index + 2]):
                filled.append(STRICT)
        return super().parse_args(ctx, filled)


def _is_number(arguments: list[str]) -> bool:
    """Whether there is an argument and it is a number."""
    try:
        return bool(arguments) and float(arguments[0]) is not None
    except ValueError:
        return False


@spread
def register(
    files: FileArguments,
    output: Annotated[Path, path_option("--output", "-o", help="folder for transform, moved image and report")],
    how: RegistrationArguments,
    probe: ProbeArguments,
    strict: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="[P]",
            help="exit with 3, all written, if the confidence in the pose is below P; 0.5 if P is not given",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="say how long each stage took")] = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Register two images and write what there is to see into a folder.

    Written are transform.h5, transform.tfm where linear, moved.nii.gz, preview.jpg, report.html, run.yaml, result.json.
    With --fold-free there is inverse.h5, with --write-maps jacobian.nii.gz and disagreement.nii.gz.
    """
    with one_line():
        from disa.cli.progress_bar import progress_bar
        from disa.report.job import Request, run

        options = how.options(probe.probe(how.transform))
        inputs = files.inputs(how.deformable)
        with progress_bar(options.plan):
            found = run(Request(inputs, options, output, typed_command()))
    if as_json:
        print_json(found)
    else:
        _print(found, output, how.deformable, verbose)
    sure = found["confidence"]
    if strict is not None and (sure is None or sure < strict):
        said = "unknown" if sure is None else f"{sure:.2f}"
        below = f"the confidence in the pose is {said}, below the {strict:g} of --strict"
        typer.echo(f"disa: {below}; look at {output / 'report.html'}", err=True)
        raise typer.Exit(UNSURE)


def _print(found: dict[str, Any], output: Path, is_deformable: bool, is_verbose: bool) -> None:
    """What there is to know, for people."""
    from disa.cli.tables import print_pairs

    lines: dict[str, object] = {
        "value": f"{found['value']:.4f}",
        "overlap": f"{100 * found['overlap']:.0f} %",
        **({} if found["confidence"] is None else {"confidence": f"{100 * found['confidence']:.0f} %"}),
        **_errors(found),
        **({"folded cells": f"{100 * found['deformation']['folds']:.2g} %"} if is_deformable else {}),
        "written": ", ".join(str(output / name) for name in found["files"]),
    }
    if is_verbose:
        lines.update({f"{name} (s)": f"{seconds:.2f}" for name, seconds in found["seconds"].items()})
    print_pairs(lines)
    for doubt in found["doubts"]:
        typer.echo(f"doubtful: {doubt}", err=True)


def _errors(found: dict[str, Any]) -> dict[str, str]:
    """How far the result is off in mm, by what was given of the truth."""
    errors: dict[str, str] = {}
    if "errors_mm" in found:
        before, after = found["errors_mm"]["before"], found["errors_mm"]["after"]
        errors["error (mm)"] = _change(before["mean"], after["mean"], after["max"])
    if "landmark_errors_mm" in found:
        before, after = found["landmark_errors_mm"]["before"], found["landmark_errors_mm"]["after"]
        errors["landmark error (mm)"] = _change(sum(before) / len(before), sum(after) / len(after), max(after))
    return errors


def _change(before: float, after: float, largest: float) -> str:
    return f"mean {after:.2f}, max {largest:.2f}; mean before {before:.2f}"
