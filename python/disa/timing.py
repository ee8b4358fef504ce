# SPDX-License-Identifier: Apache-2.0
"""Seconds by stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from disa.progress import announce


class StageTimes(dict[str, float]):
    """Seconds of each stage, in the order in which they first ran."""

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Report a stage and add the seconds of a block that ends well to it."""
        announce(stage)
        start = time.perf_counter()
        yield
        self[stage] = self.get(stage, 0.0) + time.perf_counter() - start
