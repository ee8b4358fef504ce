"""`disa cohort`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from disa.cli.arguments import RegistrationArguments, spread
from disa.cli.common import FAILED, JsonOption, Kind, needs_extra, one_line, print_json


@spread
def cohort(
    table: Annotated[Path, typer.Argument(help="CSV table of pairs, with the columns fixed and moving at least")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for a folder a pair, and the summary")],
    how: RegistrationArguments,
    workers: Annotated[int, typer.Option(min=1, help="processes of this machine")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="of a dask scheduler whose workers do it instead")
    ] = None,
    retries: Annotated[int, typer.Option(min=0, help="of a pair that fails in an unforeseen way")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Register the pairs of a table, as `disa register` does each. The same command again does what is left.

    Columns of the table are fixed, moving, and if need be name, initial_transform, fixed_mask, moving_mask,
    fixed_landmarks, moving_landmarks and truth. summary.html links each report, summary.csv has a line a pair.
    """
    with needs_extra("cohort", "cohort"):
        from disa.cohort.running import client_of, run_all
    with one_line():
        from disa.cli.progress_bar import progress_bar
        from disa.cohort.summary import write_summary
        from disa.cohort.table import read_table
        from disa.errors import ConfigError
        from disa.progress import announce
        from disa.report.job import Request

        if how.transform is Kind.PROBE:
            raise ConfigError("--transform probe: where the probe pushes differs by pair; use disa register for each")
        options = how.options()
        folder = output.absolute()
        requests = {name: Request(inputs, options, folder / name) for name, inputs in read_table(table).items()}
        outcomes = {}
        with progress_bar({"cohort": [("pairs", 1.0)]}), client_of(scheduler, workers) as client:
            announce("pairs")
            for outcome in run_all(client, requests, folder, retries):
                outcomes[outcome.name] = outcome
                announce("pairs", len(outcomes) / len(requests))
        ordered = [outcomes[name] for name in requests]
        write_summary(ordered, folder)
    failed = [outcome for outcome in ordered if outcome.error]
    if as_json:
        print_json({"done": len(ordered) - len(failed), "failed": {o.name: o.error for o in failed}})
    else:
        typer.echo(f"{len(ordered) - len(failed)} of {len(ordered)} pairs done; {output / 'summary.html'}")
    for outcome in failed:
        typer.echo(f"disa: {outcome.name}: {outcome.error}", err=True)
    if failed:
        raise typer.Exit(FAILED)
