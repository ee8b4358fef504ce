# SPDX-License-Identifier: Apache-2.0
"""The pages of `benchmarks`, with their pictures, at the same paths in the site; their order is that of its index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

FOLDER = "benchmarks"
SECTION = "Benchmarks"
INDEX = f"{FOLDER}/README.md"

ROW = re.compile(r"\]\(([\w/-]+\.md)\) \|$", re.MULTILINE)
"""The link in a row of the index's table."""


def on_config(config: Any) -> Any:
    """Put the pages that the index lists below the section's entry in the navigation."""
    root = Path(config.docs_dir).parent
    listed = [f"{FOLDER}/{page}" for page in ROW.findall((root / INDEX).read_text())]
    for entry in config.nav:
        if SECTION in entry:
            entry[SECTION] = [INDEX, {"Each question": listed}]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages and pictures."""
    root = Path(config.docs_dir).parent
    for kind in ("md", "png"):
        for path in sorted((root / FOLDER).rglob(f"*.{kind}")):
            files.append(File.generated(config, path.relative_to(root).as_posix(), abs_src_path=str(path)))
    return files
