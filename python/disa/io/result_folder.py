# SPDX-License-Identifier: Apache-2.0
"""The folder of a run's results: they take the places of an earlier run's together, or not at all.

They are written into `.disa-writing` within the folder. When all are there, that becomes `.disa-written`, and only then
does anything else change: the earlier run's record goes first, then its other files; the new files come, and their
record last. A process may be killed anywhere in between. The next one finishes what was written, and clears the rest.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from disa.errors import OutputError
from disa.io.locking import locked

LOCK = ".disa-lock"
WRITING = ".disa-writing"
WRITTEN = ".disa-written"
_PLAN = ".plan"
"""In `.disa-written`: which files of the earlier run go, and which come."""


@contextmanager
def alone_in(folder: Path, record: str) -> Iterator[Path]:
    """A folder to write a run's files into, while no other process writes results there.

    Args:
        folder: of the results; made if it is not there, and taken away where it then stays empty.
        record: name of the file that a folder has once it is whole.

    Raises:
        OutputError: another run is in it, or it cannot be written into.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    writing = folder / WRITING
    busy = f"{folder}: another run of disa writes into it; wait until it has ended, or give another folder"
    try:
        with locked(folder / LOCK, busy):
            with _as_output_error(folder):
                _settle(folder, record)
                writing.mkdir()
            try:
                yield writing
            finally:
                shutil.rmtree(writing, ignore_errors=True)
    finally:
        for place in made:
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()


def settle(folder: Path, record: str) -> None:
    """Finish what a killed process had written whole, and clear the rest. Raises OutputError as `alone_in`."""
    if any((folder / name).exists() for name in (LOCK, WRITING, WRITTEN)):
        with alone_in(folder, record):
            pass


def publish(writing: Path, record: str, earlier: Sequence[str]) -> None:
    """Put what lies in the folder that `alone_in` gave into place.

    Args:
        writing: that folder, with the record and what else there is.
        record: as for `alone_in`.
        earlier: names of files of an earlier run, which go.

    Raises:
        OutputError: they cannot be moved.
    """
    with _as_output_error(writing.parent):
        names = [path.name for path in writing.iterdir()]
        (writing / _PLAN).write_text(json.dumps({"go": [*earlier], "come": names}))
        os.rename(writing, writing.parent / WRITTEN)
        _settle(writing.parent, record)


@contextmanager
def _as_output_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise OutputError(f"{folder}: cannot be written into: {problem.strerror}") from None


def _settle(folder: Path, record: str) -> None:
    written = folder / WRITTEN
    if (written / record).exists():
        going, coming = _plan_of(written)
        (folder / record).unlink(missing_ok=True)
        for name in going:
            has_come = name in coming and not (written / name).exists()
            if not has_come:
                (folder / name).unlink(missing_ok=True)
        for name in sorted(coming, key=lambda name: name == record):
            if (written / name).exists():
                os.replace(written / name, folder / name)
    for leftover in (written, folder / WRITING):
        if leftover.exists():
            shutil.rmtree(leftover)


def _plan_of(written: Path) -> tuple[list[str], list[str]]:
    """Names of the files that go and that come, none of them a way out of the folder."""
    plan = json.loads((written / _PLAN).read_text())
    going, coming = ([name for name in plan[key] if Path(name).name == name != ".."] for key in ("go", "come"))
    return going, coming
