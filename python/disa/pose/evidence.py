# SPDX-License-Identifier: Apache-2.0
"""What speaks for a pose that a registration ended at, and against it."""

from __future__ import annotations

import numpy as np

from disa.core import _core
from disa.pose.confidence import Evidence
from disa.pose.pose import Pose
from disa.pose.schedule import Draw
from disa.pose.workspace import Workspace

ABOUT = Draw(64, 30.0, 30.0)
"""Poses that a value is compared with; the first is the pose itself."""
SAMPLES = 1024
"""Descriptors that a value about the pose is taken over."""


def evidence_of(work: Workspace, pose: Pose, rival: float) -> Evidence:
    """What there is.

    Args:
        work: the registration.
        pose: its end, with the view and the terms of the metric.
        rival: value of the best other pose by that of the best one, as they were compared.
    """
    assert pose.view is not None
    with work.times.timed("confidence"):
        return Evidence(pose.value, work.overlaps(pose.view, pose), _contrast(work, pose), rival)


def _contrast(work: Workspace, pose: Pose) -> float:
    """How far the value lies below those about it, in their standard deviations."""
    search = work.search_about("rigid", pose.matrix, pose.offset)
    first, *drawn = search.draw(ABOUT.count, ABOUT.rotation, ABOUT.translation, work.seed)
    own = search.evaluate(first, pose.terms, SAMPLES)[0]
    count, threads = len(drawn), work.options.threads
    as_drawn = _core.StageSettings(
        samples=SAMPLES, tolerance=1.0, iterations=0, keep=count, distinct=0.0, seed=0, threads=threads
    )
    others = [end.value for end in search.optimize(drawn, pose.terms, as_drawn).poses] or [own]
    spread = float(np.std(others))
    return (float(np.mean(others)) - own) / spread if spread > 0 else 0.0
