# SPDX-License-Identifier: Apache-2.0
"""result.json: what was found, of which files, and the hashes of the files that were written with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disa.errors import OutputError
from disa.io.digests import digest_of_file, digest_of_input
from disa.io.writing import write_text
from disa.report.run_settings import SETTINGS

TRANSFORM, LINEAR, MOVED, PREVIEW, REPORT, RESULT = (
    "transform.h5", "transform.tfm", "moved.nii.gz", "preview.jpg", "report.html", "result.json",
)  # fmt: skip
INVERSE, JACOBIAN, DISAGREEMENT = "inverse.h5", "jacobian.nii.gz", "disagreement.nii.gz"
NAMES = (TRANSFORM, LINEAR, INVERSE, MOVED, JACOBIAN, DISAGREEMENT, PREVIEW, REPORT, SETTINGS, RESULT)
"""Of the files of a run; the last is written last, so that a folder which has it has all."""


def digests_of(inputs: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 of inputs by name; empty for what is no file nor folder, which its reader has more to say of."""
    return {name: digest_of_input(path) if _is_there(path) else "" for name, path in inputs.items()}


def _is_there(path: Path) -> bool:
    try:
        return path.is_file() or path.is_dir()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def write_record(found: dict[str, Any], inputs: Mapping[str, str], folder: Path) -> None:
    """Write result.json into a folder that has all other files, whose hashes it adds to what was found.

    Args:
        found: what was found; `files` are the names of all files. Gets `sha256`.
        inputs: SHA-256 of the inputs, by name.
        folder: of the files.

    Raises:
        OutputError: a file is missing, or result.json cannot be written.
    """
    try:
        files = {name: digest_of_file(folder / name) for name in found["files"] if name != RESULT}
    except OSError as problem:
        raise OutputError(f"{problem.filename}: cannot be read again: {problem.strerror}") from None
    found["sha256"] = {"inputs": dict(inputs), "files": files}
    write_text(folder / RESULT, json.dumps(found, indent=2, allow_nan=False) + "\n")


def record_of(folder: Path, inputs: Mapping[str, Path], asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """What result.json holds if it is of these inputs and settings, and every file is as it was written; else None.

    Args:
        folder: of the files.
        inputs: by name; what counts is their path and their content, not their time.
        asked: `inputs` and `settings` as result.json has them.
    """
    try:
        found: dict[str, Any] = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        hashes = found["sha256"]
        same = all(found[name] == value for name, value in asked.items())
        if not same or sorted(hashes["files"]) != sorted(name for name in found["files"] if name != RESULT):
            return None
        whole = all(digest_of_file(folder / name) == value for name, value in hashes["files"].items())
        current = whole and digests_of(inputs) == hashes["inputs"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if current else None


def files_of_run(folder: Path) -> list[str]:
    """Names of the files that an earlier run wrote into a folder, by its result.json."""
    try:
        found = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        return [name for name in NAMES if name in found["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def check_names(folder: Path, is_linear: bool) -> None:
    """Raise OutputError where a folder holds something that would be mixed with a run's files.

    Args:
        folder: for the results.
        is_linear: whether transform.tfm will be written.
    """
    for name in NAMES:
        if (folder / name).is_dir():
            raise OutputError(f"{folder / name}: is a folder; expected none, for a file of that name is written")
    if not is_linear and (folder / LINEAR).exists() and LINEAR not in files_of_run(folder):
        raise OutputError(
            f"{folder / LINEAR}: of no run that ended, and none is written now; move it away or give another folder"
        )


def check_apart(folder: Path, inputs: Mapping[str, Path]) -> None:
    """Raise OutputError where a run's files would replace one of its inputs, or lie among an input's.

    Args:
        folder: for the results.
        inputs: by name.
    """
    for path in inputs.values():
        if _are_same(path, folder):
            raise OutputError(f"{folder}: is the folder of an input; give another one for the results")
        if any(_are_same(path, folder / name) for name in NAMES):
            raise OutputError(f"{path}: is an input, and the results would replace it; give another folder for them")


def _are_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # there is none, or a path is none; its reader says so
        return False
