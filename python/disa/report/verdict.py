# SPDX-License-Identifier: Apache-2.0
"""How far a result can be trusted, and what to look at, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SURE, RATHER = 0.9, 0.5
"""Confidences."""


@dataclass(frozen=True)
class Verdict:
    """What a report says first.

    Attributes:
        text: a few words.
        sentences: why.
        checks: what a person looks at.
        is_doubtful: whether something speaks against the result.
    """

    text: str
    sentences: tuple[str, ...]
    checks: tuple[str, ...]
    is_doubtful: bool


def verdict(found: dict[str, Any]) -> Verdict:
    """Of what result.json holds."""
    sure, doubts, is_deformed = found["confidence"], found["doubts"], "deformation" in found
    sentences = list(doubts)
    if sure is not None:
        pose = "the pose before the deformation" if is_deformed else "the pose"
        sentences.append(f"Confidence: {percent(sure)}. It is the probability that {pose} is right to 10 mm.")
        sentences.append("It does not say whether an error of a few mm is left.")
    sentences.append(_movement(found))
    checks = [
        "Do the orange edges of the fixed image lie on the moved one's borders, in all three planes?",
        "Go through all slices: a wrong turn shows at the ends first.",
        "Is what lies on one side only on the same side in both? The letters say which side that is.",
        "Look longest at the place that matters to you.",
    ]
    if is_deformed:
        checks.append("Switch on grid and determinant: does the grid bend softly, without a magenta fold?")
    if len(found["optima"]) > 1 and doubts:
        checks.append("Is one of the other poses below right?")
    return Verdict(_text(sure, bool(doubts)), tuple(sentences), tuple(checks), bool(doubts))


def percent(confidence: float) -> str:
    """A confidence as a person reads it; none is a certainty."""
    return "over 99 %" if confidence > 0.99 else f"{100 * confidence:.0f} %"


def _text(sure: float | None, is_doubtful: bool) -> str:
    if is_doubtful:
        return "Doubtful: do not use it before you have looked."
    if sure is None:
        return "Nothing speaks against it, but nothing was measured that speaks for it: look."
    return "Probably right." if sure >= SURE else "Rather right than wrong." if sure >= RATHER else "Rather wrong."


def _movement(found: dict[str, Any]) -> str:
    moved = found["distance_from_before_mm"]
    return f"From before to after it moves by {moved['mean']:.1f} mm on average, and {moved['max']:.1f} mm at most."
