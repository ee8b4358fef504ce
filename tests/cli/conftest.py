# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from helpers.commands import write_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An image, a label map, points and a translation."""
    return write_files(tmp_path)
