# SPDX-License-Identifier: Apache-2.0
"""What the commands of this folder share: which runs, where they go, on how many processes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from cases import LAYOUTS, ROLES, Case, in_roles
from methods import Options
from runs import EVERY, Row, Run, Setting, perform, read_rows

from disa.errors import ImageError


def parser_of(description: str | None, poses: int) -> argparse.ArgumentParser:
    """A parser with the shared arguments and so many poses by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the images")
    parser.add_argument("--output", type=Path, required=True, help="folder for the table, the report and the plots")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="eval", help="how the folder names its pairs")
    parser.add_argument("--cases", nargs="+", help="only those whose name holds one of these")
    parser.add_argument(
        "--roles", choices=list(ROLES), default="both", help="of the images: fixed and moving as the layout has them"
    )
    parser.add_argument("--poses", type=int, default=poses, help="random starts a bin and pair")
    parser.add_argument("--model", default="disa-lc2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1, help="pairs at a time")
    parser.add_argument("--threads", type=int, default=1, help="and cores of each of several processes")
    parser.add_argument("--gpus", type=int, default=0, help="process i sees GPU i modulo this number only")
    parser.add_argument("--report", action="store_true", help="run nothing")
    return parser


def cases_of(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[Case]:
    """The cases in the roles that were asked for; ends with a message where there are none."""
    try:
        cases = LAYOUTS[arguments.layout](arguments.folder)
    except ImageError as error:
        parser.error(str(error))
    if arguments.cases:
        cases = [case for case in cases if any(part in case.name for part in arguments.cases)]
    if not cases:
        parser.error(f"{arguments.folder}: no pairs of layout {arguments.layout}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    return in_roles(cases, arguments.roles)


def run_missing(
    arguments: argparse.Namespace, cases: list[Case], methods: Sequence[str], edges: Sequence[float], starts: int
) -> None:
    """Every pose, bin, case and method in turn that the output's table lacks, unless only the report is wanted."""
    if arguments.report:
        return
    runs = [
        Run(case, bin_edges, pose, method)
        for pose in range(arguments.poses)
        for bin_edges in pairwise(edges)
        for case in cases
        for method in methods
    ]
    threads = arguments.threads if arguments.processes > 1 else 0
    setting = Setting(arguments.seed, Options(arguments.model, starts, threads))
    perform(runs, table_of(arguments), setting, arguments.processes, threads, arguments.gpus)


def rows_of(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[Row]:
    """The table's rows by case, role and method, not as they came; ends with a message where there are none."""
    order = list(EVERY)
    rows = sorted(read_rows(table_of(arguments)), key=lambda row: (row["case"], order.index(row["method"])))
    if not rows:
        parser.error(f"{table_of(arguments)}: no runs yet")
    return rows


def table_of(arguments: argparse.Namespace) -> Path:
    return arguments.output / "runs.csv"
