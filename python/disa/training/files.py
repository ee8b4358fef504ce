# SPDX-License-Identifier: Apache-2.0
"""Files of a training run, which are either there as a whole or not at all."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from disa.errors import TrainingError
from disa.io import writing


def replacing(path: Path) -> AbstractContextManager[Path]:
    """As `disa.io.writing.replacing`. Raises TrainingError."""
    return writing.replacing(path, TrainingError)


def write(path: Path, content: bytes) -> None:
    """Replace a file, on the disk before this returns.

    Raises:
        TrainingError: it cannot be written; `path` is then as it was.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
