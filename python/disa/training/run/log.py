# SPDX-License-Identifier: Apache-2.0
"""The log of a run: a CSV with a line for each validation."""

from __future__ import annotations

import csv
import io


class Log:
    """Lines of numbers under one header.

    Args:
        text: of a log so far, as `text` returns it.
    """

    def __init__(self, text: str = "") -> None:
        self.rows = list(csv.DictReader(io.StringIO(text)))

    def add(self, row: dict[str, str]) -> None:
        """Append a line. A run that goes on with other settings may add keys; earlier lines are empty there."""
        self.rows.append(row)

    def text(self) -> str:
        """The log as CSV, "" without lines."""
        if not self.rows:
            return ""
        file = io.StringIO()
        writer = csv.DictWriter(
            file, list(dict.fromkeys(key for row in self.rows for key in row)), "", lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(self.rows)
        return file.getvalue()
