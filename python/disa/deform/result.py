# SPDX-License-Identifier: Apache-2.0
"""What a deformable registration gives back."""

from __future__ import annotations

from dataclasses import dataclass

import SimpleITK as sitk

from disa.pose.result import RegistrationResult


@dataclass(frozen=True, kw_only=True)
class DeformableResult(RegistrationResult):
    """A deformation and how well-behaved it is.

    Besides what `RegistrationResult` has. `transform` is a displacement field, then the initial transform where one was
    given. `trace` has the last stage's values from fixed to moving, over descriptors of unit length, so not comparable
    with a pose's; `value` is the last of them: before the last step, before the middle of both ways is taken and before
    folds are smoothed. `evaluations` are the iterations of that stage, both ways. There are no `optima`, and
    `confidence` is None: the pose that it started from has one.

    Attributes:
        displacement_field: the field alone, x -> x + u(x) in the fixed image's space, linear between nodes.
        least_jacobian: least Jacobian determinant of the field over the corners of its cells.
        jacobian_percentiles: of the same determinants, by percent.
        folds: share of cells with a corner whose determinant is 0 or less.
        inverse_transform: from moving to fixed points, with `fold_free`. Going there and back errs by less than 0.1 mm
            within the field. None otherwise, and where the initial transform has no inverse of its own.
        jacobian_map: Jacobian determinant in the middle of each cell of the field, float32: above 1 it grows, below 1
            it shrinks.
        disagreement_map: mm by which the registration from fixed to moving and the one back miss each other, at each
            node, before the middle is taken, float32. The more, the less sure. 0 without `inverse_consistent`.
    """

    displacement_field: sitk.DisplacementFieldTransform
    least_jacobian: float
    jacobian_percentiles: dict[int, float]
    folds: float
    inverse_transform: sitk.Transform | None
    jacobian_map: sitk.Image
    disagreement_map: sitk.Image

    @property
    def doubts(self) -> list[str]:
        """What speaks against the result, a sentence each; empty if nothing does."""
        found = [f"Under the deformation: {doubt}" for doubt in self._doubts_of_overlap]
        if self.folds > 0:
            found.append(
                f"The deformation folds in {100 * self.folds:.2g} % of its cells, where it has no inverse "
                f"(least Jacobian determinant {self.least_jacobian:.2g}). Register it fold-free, or look at it there."
            )
        return found

    def _rows(self) -> dict[str, str]:
        return {
            "nodes of the field": " x ".join(map(str, self.displacement_field.GetDisplacementField().GetSize())),
            "value": f"{self.value:.4f}",
            "overlap": f"{100 * self.overlap:.0f} %",
            "folded cells": f"{100 * self.folds:.2g} %",
        }
