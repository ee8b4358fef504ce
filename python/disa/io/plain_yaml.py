# SPDX-License-Identifier: Apache-2.0
"""YAML of settings: no deeper than these are, and without aliases, which make gigabytes of a few lines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

DEPTH = 8
"""Of lists and mappings in each other; settings have two."""

LONGEST = 2**20
"""Characters."""


def load_yaml(text: str) -> Any:
    """What a text of YAML says, in plain Python values.

    Raises:
        ValueError: in one line: it is no YAML, nested too deep, too long, has an alias, a key twice, or a value
            that is none.
    """
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError(f"line {event.start_mark.line + 1}: an alias; write out what it stands for")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH:
                raise ValueError(f"line {event.start_mark.line + 1}: nested deeper than {DEPTH} levels")
        _check_keys(yaml.compose(text, yaml.SafeLoader))
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or a number that cannot be
        raise ValueError(" ".join(str(error).split())[:300]) from None


def _check_keys(node: Any) -> None:
    """Raises ValueError where a key is there twice, of which PyYAML takes the last; YAML allows one."""
    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_keys(value)
    if not isinstance(node, yaml.MappingNode):
        return
    names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and names[key.value] > 1:
            raise ValueError(f"line {key.start_mark.line + 1}: {key.value} is there twice; expected once")
        _check_keys(value)


def dump_yaml(settings: Mapping[str, Any]) -> str:
    """Plain Python values as YAML, a line each and in their order."""
    text: str = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True, width=math.inf)
    return text
