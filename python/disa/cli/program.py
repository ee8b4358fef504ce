# SPDX-License-Identifier: Apache-2.0
"""What the command `disa` is beside its commands: its version, and how it says that a command line is wrong."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

_OF_A_LIBRARY = "Value error, "
"""What typer leaves of pydantic's words before its own."""


class Program(TyperGroup):
    """A group of commands; what is wrong with a command line is one line each where nobody sees a frame around it."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line."""
        self._markup = self.rich_markup_mode
        if not sys.stderr.isatty():
            self.rich_markup_mode = None
        try:
            return super().main(*args, **extra)
        except OSError as error:
            if error.filename is not None:
                raise
            sys.exit(f"disa: standard output: cannot be written: {error.strerror}")

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help has its frames wherever it goes, for without them its texts are cut short."""
        self.rich_markup_mode = self._markup
        super().format_help(ctx, formatter)


class Command(TyperCommand):
    """A command that says of a wrong value what is wrong with it, and no more."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the arguments of a command line."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix(_OF_A_LIBRARY)
            raise


def _print_version(is_asked: bool) -> None:
    if is_asked:
        import importlib.metadata

        typer.echo(f"disa {importlib.metadata.version('itk-disa')}")
        raise typer.Exit


def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    """Multimodal image registration by DISA descriptors.

    Exit codes: 0 done, 1 could not be done, 2 wrong command line, 3 done but unsure (register --strict),
    130 interrupted.
    """
