"""Dataclasses of arguments as typer sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from disa.cli.arguments import spread


@dataclass(frozen=True)
class Size:
    width: Annotated[int, typer.Argument(help="mm")]
    height: Annotated[int, typer.Option(help="mm")] = 3


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()

    @app.command()
    @spread
    def area(size: Size, twice: bool = False) -> None:
        """Of a box."""
        typer.echo(str(size.width * size.height * (2 if twice else 1)))

    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_fields_are_arguments_and_options_of_their_own() -> None:
    assert run("5") == (0, "15\n")
    assert run("5", "--height", "4", "--twice") == (0, "40\n")
    code, text = run("--help")
    assert code == 0 and "width" in text.lower() and "--height" in text and "--size" not in text


@pytest.mark.parametrize("arguments", [(), ("five",), ("5", "--depth", "1")])
def test_what_is_missing_or_unknown_is_a_wrong_command_line(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2
