# SPDX-License-Identifier: Apache-2.0
"""The page of every command and option, from the program itself."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

PAGE = "cli.md"


def on_files(files: Any, config: Any) -> Any:
    """Add the page that typer writes, without its list of commands, whose texts it cuts short."""
    command = [sys.executable, "-m", "typer", "disa.cli.app", "utils", "docs", "--name", "disa"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise PluginError(f"{PAGE}: typer could not describe the command:\n{run.stderr}")
    text = re.sub(r"(?ms)\*\*Commands\*\*:.*?(?=^## )", "", run.stdout, count=1)
    files.append(File.generated(config, PAGE, content=text))
    return files
