# SPDX-License-Identifier: Apache-2.0
"""The command `disa`."""

from __future__ import annotations

import typer

from disa.cli.apply import apply
from disa.cli.cohort import cohort
from disa.cli.doctor import doctor
from disa.cli.evaluate import evaluate
from disa.cli.features import features, heatmap
from disa.cli.info import info
from disa.cli.model import export, train
from disa.cli.program import Command, Program, program
from disa.cli.register import RegisterCommand, register
from disa.cli.seal import seal

app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.callback()(program)
app.command(cls=RegisterCommand)(register)
for command in (cohort, apply, features, heatmap, evaluate, info, export, seal, train, doctor):
    app.command(cls=Command)(command)
