# SPDX-License-Identifier: Apache-2.0
"""`disa doctor`."""

from __future__ import annotations

from typing import Any

import typer

from disa.cli.common import FAILED, JsonOption, print_json


def doctor(as_json: JsonOption = False) -> None:
    """Say what is installed, what the network and the kernels run on, whether they work, and what is missing."""
    from disa.cli.diagnosis import diagnose
    from disa.cli.progress_bar import progress_bar

    with progress_bar({"doctor": [("runtime", 0.3), ("library", 0.1), ("doors", 0.3), ("self-test", 1.0)]}):
        found = diagnose()
    print_json(vars(found)) if as_json else _print(vars(found))
    if found.failures:
        raise typer.Exit(FAILED)


def _print(found: dict[str, Any]) -> None:
    from disa.cli.tables import print_pairs

    lines: dict[str, object] = dict(found["versions"])
    for name in ("providers", "kernels", "models", "doors"):
        lines[name] = ", ".join(found[name]) or "none"
    print_pairs({**lines, "self-test": found["self_test"] or "not run"})
    for line in (*found["missing"], *found["failures"]):
        typer.echo(line)
