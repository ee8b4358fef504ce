# SPDX-License-Identifier: Apache-2.0
"""`--settings`: options of a command from a YAML file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from disa.cli.common import one_line, path_option

if TYPE_CHECKING:
    from disa.errors import ConfigError

_OTHERS = ("help", "settings")
"""Options that no file sets."""
_EXPECTED = "expected a YAML file of options, as run.yaml of a run"


def _take(context: typer.Context, file: Path | None) -> Path | None:
    """Let a file's values stand in place of the defaults of options; the command line goes before both."""
    if file is not None:
        with one_line():
            context.default_map = _values(file, _keys(context.command.params))
    return file


SettingsOption = Annotated[
    Path | None,
    path_option("--settings", callback=_take, is_eager=True, help="YAML file of options; run.yaml of a run repeats it"),
]


def _keys(parameters: list[Any]) -> dict[str, str]:
    """Names of parameters by their keys in a file: the option's long name, with `_` for `-`."""
    found = {}
    for parameter in parameters:
        long = [option for option in parameter.opts if option.startswith("--")]
        found[_plain(long[0] if long else parameter.name)] = parameter.name
    return {key: name for key, name in found.items() if key not in _OTHERS}


def _plain(key: str) -> str:
    return key.lstrip("-").replace("-", "_")


def _values(file: Path, keys: Mapping[str, str]) -> dict[str, Any]:
    """By parameter, what the command line would have. Raises ConfigError."""
    from disa.errors import ConfigError
    from disa.io.kinds import check_file
    from disa.io.plain_yaml import load_yaml

    check_file(file, _EXPECTED, ConfigError, may_be_empty=True)
    try:
        content = load_yaml(file.read_text(encoding="utf-8")) or {}
    except OSError as problem:
        raise ConfigError(f"{file}: cannot be read: {problem.strerror}; {_EXPECTED}") from None
    except ValueError as problem:
        raise ConfigError(f"{file}: not YAML: {problem}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: expected lines of `option: value`")
    values = {}
    for key, value in content.items():
        name = keys.get(_plain(str(key)))
        if name is None:
            raise _unknown(file, str(key), keys)
        if name in values:
            raise ConfigError(f"{file}: {key}: is there twice; expected once")
        values[name] = _as_typed(value, file, str(key))
    return {name: _placed(name, value, file) for name, value in values.items() if value is not None}


def _unknown(file: Path, key: str, keys: Mapping[str, str]) -> ConfigError:
    from disa.errors import ConfigError
    from disa.io.numbers import shown

    close = difflib.get_close_matches(_plain(key), keys, 1)
    hint = f"did you mean {close[0]}?" if close else f"the options are {', '.join(keys)}"
    return ConfigError(f"{file}: unknown option {shown(key)}; {hint}")


def _as_typed(value: Any, file: Path, key: str) -> Any:
    """As on the command line: words, and whether a flag is there. Raises ConfigError."""
    from disa.errors import ConfigError

    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return [str(one) for one in value]
    if isinstance(value, list | dict):
        raise ConfigError(f"{file}: {key}: expected one value, or a list of them")
    return str(value)


def _placed(name: str, value: Any, file: Path) -> Any:
    """Paths relative to the file's folder."""
    is_path = name in _paths() or (name == "model" and str(value).endswith(".onnx"))
    return str(file.absolute().parent / value) if is_path and isinstance(value, str) else value


def _paths() -> set[str]:
    """Parameters that are paths."""
    from typing import get_args, get_type_hints

    from disa.cli.arguments import FileArguments

    hints = get_type_hints(FileArguments)
    return {name for name, hint in hints.items() if hint is Path or Path in get_args(hint)} | {"output", "table"}
