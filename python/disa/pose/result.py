# SPDX-License-Identifier: Apache-2.0
"""What a registration gives back."""

from __future__ import annotations

import html
from dataclasses import dataclass

import SimpleITK as sitk

LITTLE_OVERLAP = 0.5
WEAK_VALUE = -0.2
RIVAL = 0.85
"""Where a result becomes doubtful. Five pairs of unrelated images ended at -0.06 to -0.23, with rivals of 0.92 or more
of the best value; three pairs of one patient at -0.36 to -0.45, with rivals of 0.7, 0.75 and, along a limb, 0.99."""


@dataclass(frozen=True)
class Optimum:
    """A pose that the search ended at.

    Attributes:
        transform: fixed to moving points, mm.
        value: of the metric in the search, over smoothed descriptors; between -1 and 1, lower is better.
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
        voxel_spacing: mm between the voxels that the network saw, before a finer last stage.
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

    @property
    def doubts(self) -> list[str]:
        """What speaks against the result, a sentence each; empty if nothing does."""
        found = self._doubts_of_overlap
        if self.value > WEAK_VALUE:
            found.append(f"The images agree little: the metric is {self.value:.3f}, where -1 would be perfect.")
        if len(self.optima) > 1 and self.optima[1].value <= RIVAL * self.optima[0].value:
            found.append(
                f"Another pose is nearly as good: {self.optima[1].value:.3f} against {self.optima[0].value:.3f} in the "
                "search. Look at both, or start from a transform that is about right."
            )
        return found

    @property
    def _doubts_of_overlap(self) -> list[str]:
        """The doubt about the overlap, if there is one."""
        if self.overlap >= LITTLE_OVERLAP:
            return []
        return [f"Only {100 * self.overlap:.0f} % of what was compared lies inside of the moving image."]

    def _rows(self) -> dict[str, str]:
        return {
            self.transform.GetName(): ", ".join(f"{value:.5g}" for value in self.transform.GetParameters()),
            "voxel spacing": f"{self.voxel_spacing:g} mm",
            "value": f"{self.value:.4f}",
            "overlap": f"{100 * self.overlap:.0f} %",
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
