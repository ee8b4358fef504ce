# SPDX-License-Identifier: Apache-2.0
"""How far a computation has come, told to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, float], None]
"""Takes the name of a stage and how much of it is done, 0 to 1."""

Plan = Mapping[str, Sequence[tuple[str, float]]]
"""By phase, its stages in the order in which they are expected, each with its share of the time in any unit."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Within the block, what this thread announces goes to a listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def announce(stage: str, share: float = 0.0) -> None:
    """Say that a stage begins, or how much of it is done. Costs next to nothing where nobody listens."""
    listener = _listener.get()
    if listener is not None:
        listener(stage, share)
