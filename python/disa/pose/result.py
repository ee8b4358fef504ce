# SPDX-License-Identifier: Apache-2.0
"""What a registration gives back."""

from __future__ import annotations

import html
from dataclasses import dataclass

import SimpleITK as sitk

from disa.pose.confidence import Evidence, confidence, weakest

LITTLE_OVERLAP = 0.5
"""Share of what is compared below which a deformation is doubted, and a doubt about a pose mentions it."""
DOUBTED = 0.5
"""Confidence below which a pose is doubted."""


@dataclass(frozen=True)
class Optimum:
    """A pose that the search ended at.

    Attributes:
        transform: fixed to moving points, mm.
        value: of the metric in the search, over smoothed descriptors; between -1 and 1, lower is better. It
            compares with the result's `search_value`.
    """

    transform: sitk.Transform
    value: float


@dataclass(frozen=True)
class RegistrationResult:
    """A pose, how good it is, and what else there was.

    Attributes:
        transform: fixed to moving points, mm, as SimpleITK's registration returns it.
        value: of the metric at the end, between -1 and 1, lower is better. Not comparable with those of `optima`, whose
            descriptors are smoother.
        overlap: share of the fixed descriptors' weight that the transform takes into the moving image and mask.
        optima: distinct poses that the search ended at, the best first. Two of nearly the same value mean that the
            images do not tell which is right.
        evaluations: of the metric and its derivative.
        times: seconds by stage, in order.
        pressure: p1 and p2 of the probe, mm, where the transform was to have them; see `ProbePressure`.
        trace: for each of the last optimisations, one after the other, the values at its start and after each
            iteration. Each had sharper descriptors than the one before, so compare values within one only.
            The last holds the one value of the whole metric at the end.
        voxel_spacing: mm between the voxels that the network saw, before a finer last stage.
        evidence: what `confidence` goes by; None where there is no model for it, as for a deformation.
        search_value: of the metric over the descriptors that `optima` of a global search have their values of, so that
            these compare; before parameters are freed and before a finer last stage. None for a local search and for a
            deformation.
    """

    transform: sitk.Transform
    value: float
    overlap: float
    optima: tuple[Optimum, ...]
    evaluations: int
    times: dict[str, float]
    pressure: tuple[float, float] | None = None
    trace: tuple[tuple[float, ...], ...] = ()
    voxel_spacing: float = 2.0
    evidence: Evidence | None = None
    search_value: float | None = None

    @property
    def confidence(self) -> float | None:
        """Probability, 0 to 1, that the mean error is below 10 mm; None where there is no `evidence`.

        It was calibrated on pairs of limbs (CT and T1, where below 15 mm was taken for right, as good as the truth is
        there) and of heads (T1, T2 and FLAIR), whole, under masks, with a part in common and unrelated. Of other kinds
        of images it is a hint only, and it says nothing of errors of a few mm.
        """
        return None if self.evidence is None else confidence(self.evidence)

    @property
    def doubts(self) -> list[str]:
        """Why the pose is rather wrong than right, a sentence; empty if it is not."""
        sure = self.confidence
        if self.evidence is None or sure is None or sure >= DOUBTED:
            return []
        reasons = {
            "agreement": (
                f"The images agree little where they overlap: the metric is {self.value:.3f}. Check that both show the "
                "same part of the body, or give masks of what they share."
            ),
            "contrast": (
                "The images agree hardly better there than under other poses nearby. Give an initial transform that is "
                "about right."
            ),
            "rival": "Another pose is nearly as good. Look at both, or start from a transform that is about right.",
        }
        said = f"This pose is right with a probability of {100 * sure:.0f} % only."
        return [" ".join([said, reasons[weakest(self.evidence)], *self._doubts_of_overlap])]

    @property
    def _doubts_of_overlap(self) -> list[str]:
        """The doubt about the overlap, if there is one."""
        if self.overlap >= LITTLE_OVERLAP:
            return []
        share = f"{100 * self.overlap:.0f} %"
        return [
            f"Only {share} of what was compared lies inside of the moving image. Check their overlap, or give masks."
        ]

    def _rows(self) -> dict[str, str]:
        return {
            self.transform.GetName(): ", ".join(f"{value:.5g}" for value in self.transform.GetParameters()),
            "voxel spacing": f"{self.voxel_spacing:g} mm",
            "value": f"{self.value:.4f}",
            "overlap": f"{100 * self.overlap:.0f} %",
            **({} if self.confidence is None else {"confidence": f"{100 * self.confidence:.0f} %"}),
            "other poses": ", ".join(f"{optimum.value:.3f}" for optimum in self.optima[1:]) or "none",
        }

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        rows = {
            **self._rows(),
            "seconds": f"{sum(self.times.values()):.2f}",
            "doubts": " ".join(self.doubts) or "none",
        }
        cells = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows.items())
        return f"<table>{cells}</table>"
