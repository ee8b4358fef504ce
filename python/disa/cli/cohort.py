# SPDX-License-Identifier: Apache-2.0
"""`disa cohort`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from disa.cli.arguments import RegistrationArguments, spread
from disa.cli.common import (
    FAILED,
    JsonOption,
    Kind,
    needs_extra,
    one_line,
    path_argument,
    path_option,
    print_json,
    typed_command,
)
from disa.cli.settings_file import SettingsOption

if TYPE_CHECKING:
    from disa.cohort.work import Outcome
    from disa.report.job import Request


@spread
def cohort(
    table: Annotated[Path, path_argument(help="CSV table of pairs, with the columns fixed and moving at least")],
    output: Annotated[Path, path_option("--output", "-o", help="folder for a folder a pair, and the summary")],
    how: RegistrationArguments,
    workers: Annotated[int, typer.Option(min=1, help="processes of this machine")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="of a dask scheduler whose workers do it instead")
    ] = None,
    retries: Annotated[int, typer.Option(min=0, help="of a pair that fails in an unforeseen way")] = 2,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Register the pairs of a table, as `disa register` does each. The same command again does what is left.

    Columns of the table are fixed, moving, and if need be name, initial_transform, fixed_mask, moving_mask,
    fixed_landmarks, moving_landmarks, truth, fixed_weights, fixed_rigid_parts, moving_rigid_parts,
    fixed_constraint_landmarks and moving_constraint_landmarks. summary.html links each report, summary.csv has a line
    a pair.
    """
    with one_line():
        from disa.cli.progress_bar import progress_bar
        from disa.cohort.summary import write_summary
        from disa.cohort.table import read_table
        from disa.errors import ConfigError, OutputError
        from disa.progress import announce
        from disa.report.job import Request

        if how.transform is Kind.PROBE:
            raise ConfigError("--transform probe: where the probe pushes differs by pair; use disa register for each")
        options = how.options()
        folder = output.absolute()
        pairs, command = read_table(table), typed_command()
        requests = {name: Request(inputs, options, folder / name, command) for name, inputs in pairs.items()}
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{output}: is a file; expected a folder to write into")
        outcomes = {}
        with progress_bar({"cohort": [("pairs", 1.0)]}), _runner(scheduler, workers, retries) as run:
            announce("pairs")
            coming = run(requests, folder)
            for outcome in coming:
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


@contextmanager
def _runner(
    scheduler: str | None, workers: int, retries: int
) -> Iterator[Callable[[dict[str, Request], Path], Iterator[Outcome]]]:
    """What gives the outcome of each pair of a cohort's folder, as they come. Raises ConfigError."""
    if scheduler is None:
        from disa.cohort.processes import run_here

        running = ExitStack()
        with running:
            yield lambda requests, folder: running.enter_context(closing(run_here(requests, folder, workers, retries)))
        return
    with needs_extra("cohort --scheduler", "cohort"):
        from disa.cohort.scheduler import client_of, run_scheduled
    with client_of(scheduler) as client:
        yield lambda requests, folder: run_scheduled(client, requests, folder, retries)
