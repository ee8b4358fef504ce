# SPDX-License-Identifier: Apache-2.0
"""One pair of a cohort, as a worker does it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from disa.errors import DISAError
from disa.features.cache import kept_in
from disa.io.locking import locked
from disa.network.session import allowed_threads
from disa.report.job import Request, done_before, run


@dataclass(frozen=True)
class Outcome:
    """Of a pair.

    Attributes:
        name: of the pair.
        error: a line, why it could not be done; empty if it was.
        found: what result.json holds; empty where it could not be done.
    """

    name: str
    error: str
    found: dict[str, Any]

    @property
    def landmark_error(self) -> float | None:
        """Mean, mm, where there are landmarks."""
        errors = self.found.get("landmark_errors_mm")
        return None if errors is None else float(np.mean(errors["after"]))


def died(name: str) -> Outcome:
    """Of a pair whose workers did not live to say anything."""
    return Outcome(name, "its workers died again and again; is there memory enough? try fewer --workers", {})


def unforeseen(name: str, error: Exception) -> Outcome:
    """Of a pair that failed in a way that this package does not foresee."""
    return Outcome(name, f"{type(error).__name__}: {' '.join(str(error).split())}", {})


def register_pair(name: str, request: Request, cohort: Path) -> Outcome:
    """Register a pair unless that was done before. Its own errors become an outcome; the others are for a retry.

    Args:
        name: of the pair.
        request: its output is a folder of the cohort's.
        cohort: folder of the whole cohort, with the descriptors that its pairs share.
    """
    options = request.options.with_threads(allowed_threads())
    with locked(cohort / "locks" / name):
        try:
            found = done_before(request)
            if found is None:
                with kept_in(cohort / "features"):
                    found = run(replace(request, options=options))
        except DISAError as error:
            return Outcome(name, " ".join(str(error).split()), {})
    return Outcome(name, "", found)
