"""The command `disa`."""

from __future__ import annotations

import typer

from disa.commands.cohort import cohort
from disa.commands.doctor import doctor
from disa.commands.evaluate import evaluate
from disa.commands.features import features, heatmap
from disa.commands.model import export, info, train
from disa.commands.register import register
from disa.commands.transform import apply

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Multimodal image registration by DISA descriptors. Exit codes: 0 done, 1 could not be done, "
    "2 wrong command line, 130 interrupted.",
)
for command in (register, cohort, apply, features, heatmap, evaluate, info, export, train, doctor):
    app.command()(command)
