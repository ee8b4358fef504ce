# SPDX-License-Identifier: Apache-2.0
"""The command `disa`."""

from __future__ import annotations

import typer

from disa.cli.apply import apply
from disa.cli.cohort import cohort
from disa.cli.doctor import doctor
from disa.cli.evaluate import evaluate
from disa.cli.features import features, heatmap
from disa.cli.model import export, info, train
from disa.cli.register import RegisterCommand, register
from disa.cli.seal import seal

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Multimodal image registration by DISA descriptors. Exit codes: 0 done, 1 could not be done, "
    "2 wrong command line, 3 done but unsure (register --strict), 130 interrupted.",
)
app.command(cls=RegisterCommand)(register)
for command in (cohort, apply, features, heatmap, evaluate, info, export, seal, train, doctor):
    app.command()(command)
