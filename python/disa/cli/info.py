# SPDX-License-Identifier: Apache-2.0
"""`disa info`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from disa.cli.common import JsonOption, one_line, print_json


def info(
    what: Annotated[
        str, typer.Argument(help="name of a shipped model, or a file: .onnx model, .disa descriptors, or a transform")
    ],
    as_json: JsonOption = False,
) -> None:
    """Say what a model, a file of descriptors or a transform is."""
    from disa.cli.descriptions import described
    from disa.cli.tables import print_pairs

    with one_line():
        about = described(what)
    print_json(about) if as_json else print_pairs(_flat(about))


def _flat(about: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """A name and a text a line, what lies deeper under a name of its own."""
    lines: dict[str, str] = {}
    for name, value in about.items():
        called = f"{before}{name}"
        if isinstance(value, Mapping):
            lines |= _flat(value, f"{called} ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, part in enumerate(value, 1):
                lines |= _flat(part, f"{called} {number} ")
        else:
            lines[called] = ", ".join(map(_shown, value)) if isinstance(value, list) else _shown(value)
    return lines


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"({' '.join(map(_shown, value))})"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
