# SPDX-License-Identifier: Apache-2.0
"""What `disa register` found, as result.json has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import _core
from disa.deform.result import DeformableResult
from disa.evaluation import landmark_errors, transform_errors
from disa.geometry.linear import matrix_and_offset
from disa.geometry.pixels import pixels_of
from disa.pose.result import Optimum, RegistrationResult
from disa.report.display import Pair
from disa.report.parameters import described

SUMMARY: dict[str, Callable[[npt.NDArray[np.float64]], np.floating[Any]]] = {
    "mean": np.mean,
    "median": np.median,
    "95th percentile": lambda values: np.percentile(values, 95),
    "max": np.max,
}
"""Of errors."""


@dataclass(frozen=True)
class Truth:
    """What is known of the right result.

    Attributes:
        landmarks: fixed and moving ones, shape (n, 3) each, mm.
        transform: the true one, from fixed to moving points.
    """

    landmarks: tuple[npt.NDArray[np.float64], ...] | None
    transform: sitk.Transform | None

    def errors(self, pair: Pair) -> dict[str, Any]:
        """Distances in mm before and after, of what there is."""
        found: dict[str, Any] = {}
        both = (("before", pair.before), ("after", pair.after))
        if self.landmarks is not None:
            found["landmark_errors_mm"] = {
                name: landmark_errors(transform, *self.landmarks).tolist() for name, transform in both
            }
        if self.transform is not None:
            errors = {name: transform_errors(transform, self.transform, pair.fixed) for name, transform in both}
            found["errors_mm"] = {name: _summary(values) for name, values in errors.items()}
        return found


def findings(result: RegistrationResult, deformation: DeformableResult | None, pair: Pair) -> dict[str, Any]:
    """What result.json holds of the result.

    Args:
        result: the pose.
        deformation: what followed; None: nothing.
        pair: the images, and where it began and ended.
    """
    found: dict[str, Any] = {
        "transform": described(result.transform),
        "value": result.value,
        "overlap": result.overlap,
        "confidence": result.confidence,
        "distance_from_before_mm": _summary(transform_errors(pair.after, pair.before, pair.fixed)),
        "search_value": result.search_value,
        "optima": [_optimum(optimum, result.transform, pair.fixed) for optimum in result.optima],
        "doubts": [*result.doubts, *(deformation.doubts if deformation else [])],
        "evaluations": result.evaluations,
        "voxel_spacing_mm": result.voxel_spacing,
        "trace": [list(values) for values in result.trace],
        "seconds": dict(result.times),
    }
    if result.pressure is not None:
        found["pressure_mm"] = list(result.pressure)
    if deformation is not None:
        found["deformation"] = _deformation(deformation)
        found["seconds"].update({f"deformation: {stage}": seconds for stage, seconds in deformation.times.items()})
    return found


def _optimum(optimum: Optimum, end: sitk.Transform, fixed: sitk.Image) -> dict[str, Any]:
    """A pose of the search, and how far it lies from where the registration ended."""
    return {
        "value": optimum.value,
        "parameters": list(optimum.transform.GetParameters()),
        "distance_mm": float(transform_errors(optimum.transform, end, fixed).mean()),
        "turn_degrees": _turn(optimum.transform, end),
    }


def _turn(one: sitk.Transform, other: sitk.Transform) -> float:
    """Degrees between what two transforms turn by; of a composite counts its pose."""
    turns = []
    for transform in (one, other):
        is_composite = transform.GetTransformEnum() == sitk.sitkComposite
        pose = sitk.CompositeTransform(transform).GetNthTransform(0) if is_composite else transform
        turns.append(_core.nearest_rotation(matrix_and_offset(pose, "pose")[0]))
    return float(_core.angle_between(*turns))


def _deformation(result: DeformableResult) -> dict[str, Any]:
    displacements = pixels_of(result.displacement_field.GetDisplacementField())
    return {
        "jacobian_percentiles": {str(percent): value for percent, value in result.jacobian_percentiles.items()},
        "folds": result.folds,
        "displacement_mm": _summary(np.linalg.norm(displacements, axis=-1)),
        "value": result.value,
        "overlap": result.overlap,
        "evaluations": result.evaluations,
        "voxel_spacing_mm": result.voxel_spacing,
        "trace": list(result.trace[0]),
    }


def _summary(values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: float(summarise(values)) for name, summarise in SUMMARY.items()}
