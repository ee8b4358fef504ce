# SPDX-License-Identifier: Apache-2.0
"""How likely a pose is right, by what a registration knows at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """What speaks for a pose and against it.

    Attributes:
        value: of the metric, between -1 and 1, lower is better.
        overlaps: share of the fixed image's weight inside of the moving image, and the other way round.
        contrast: how far the value lies below those of poses about it, in their standard deviations.
        rival: value of the best other pose that was tried, by that of this one; 0 if there was none.
    """

    value: float
    overlaps: tuple[float, float]
    contrast: float
    rival: float


NEAR = 0.8
"""Share of a value up to which that of another pose does not matter: right poses have such rivals, too."""
BIAS = -7.59
COEFFICIENTS = {"agreement": 25.7, "contrast": 0.855, "rival": -0.939}
TYPICAL = {"agreement": 0.208, "contrast": 5.12, "rival": 0.034}
"""Of the logistic model, and what right results had on average, as `benchmarks/confidence.py` printed them for 80
registrations of limbs (CT and T1) and heads (T1, T2 and FLAIR), of which 53 were right. Of 32 runs of patients that it
was not fitted to, 10 of 13 wrong ones were below 0.5 and 16 of 19 right ones above; the Brier score was 0.12. How far
the metric's two directions disagree, the number of samples and the overlap by itself were tried, too. Over patients
that the model was not fitted to they helped little, and more samples spoke against a pose."""


def measures(evidence: Evidence) -> dict[str, float]:
    """The numbers that the model weighs, each within the range where it was fitted."""
    overlap = max(sum(evidence.overlaps) / 2, 1e-6)
    return {
        "agreement": min(max(-evidence.value / overlap, 0.0), 0.5),
        "contrast": min(max(evidence.contrast, 0.0), 8.0),
        "rival": min(max(evidence.rival - NEAR, 0.0) / (1 - NEAR), 1.0),
    }


def confidence(evidence: Evidence) -> float:
    """Probability, 0 to 1, that a pose is right."""
    found = measures(evidence)
    logit = BIAS + sum(coefficient * found[name] for name, coefficient in COEFFICIENTS.items())
    return 0.5 + 0.5 * math.tanh(logit / 2)


def weakest(evidence: Evidence) -> str:
    """Name of the measure that speaks most against a pose, next to what right results had."""
    found = measures(evidence)
    return min(COEFFICIENTS, key=lambda name: COEFFICIENTS[name] * (found[name] - TYPICAL[name]))
