# SPDX-License-Identifier: Apache-2.0
"""What `disa register` found: as result.json has it, and as tables of the report."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.deform.result import DeformableResult
from disa.evaluation import landmark_errors, transform_errors
from disa.pose.result import RegistrationResult
from disa.report.page import Page

SUMMARY: dict[str, Callable[[npt.NDArray[np.float64]], np.floating[Any]]] = {
    "mean": np.mean,
    "median": np.median,
    "95th percentile": lambda values: np.percentile(values, 95),
    "max": np.max,
}
"""Of errors."""

CONFIDENCE = "confidence that the pose is right to 10 mm"

PERCENTILES = {"0": "least", "1": "1st percentile", "50": "median", "99": "99th percentile", "100": "greatest"}


@dataclass(frozen=True)
class Truth:
    """What is known of the right result.

    Attributes:
        landmarks: fixed and moving ones, shape (n, 3) each, mm.
        transform: the true one, from fixed to moving points.
    """

    landmarks: tuple[npt.NDArray[np.float64], ...] | None
    transform: sitk.Transform | None

    def errors(self, before: sitk.Transform, after: sitk.Transform, fixed: sitk.Image) -> dict[str, Any]:
        """Distances in mm before and after, of what there is."""
        found: dict[str, Any] = {}
        both = (("before", before), ("after", after))
        if self.landmarks is not None:
            found["landmark_errors_mm"] = {
                name: landmark_errors(transform, *self.landmarks).tolist() for name, transform in both
            }
        if self.transform is not None:
            errors = {name: transform_errors(transform, self.transform, fixed) for name, transform in both}
            found["errors_mm"] = {name: _summary(values) for name, values in errors.items()}
        return found


def findings(
    result: RegistrationResult, deformation: DeformableResult | None, errors: dict[str, Any]
) -> dict[str, Any]:
    """What result.json holds of the result."""
    found: dict[str, Any] = {
        "transform": _described(result.transform),
        "value": result.value,
        "overlap": result.overlap,
        "confidence": result.confidence,
        "optima": [
            {"value": optimum.value, "parameters": list(optimum.transform.GetParameters())} for optimum in result.optima
        ],
        "doubts": [*result.doubts, *(deformation.doubts if deformation else [])],
        "evaluations": result.evaluations,
        "voxel_spacing_mm": result.voxel_spacing,
        "trace": [list(values) for values in result.trace],
        "seconds": dict(result.times),
        "versions": {name: importlib.metadata.version(name) for name in ("itk-disa", "itk-core", "SimpleITK", "numpy")},
        **errors,
    }
    if result.pressure is not None:
        found["pressure_mm"] = list(result.pressure)
    if deformation is not None:
        found["deformation"] = _deformation(deformation)
        found["seconds"].update({f"deformation: {stage}": seconds for stage, seconds in deformation.times.items()})
    return found


def page(title: str, found: dict[str, Any]) -> Page:
    """The report's texts."""
    settings = found["settings"]
    transform = found["transform"]
    linear = transform["parts"][0] if "parts" in transform else transform
    when = "before the deformation; " if settings["deformable"] else ""
    result: list[list[object]] = [
        [f"value ({when}-1 to 1, lower is better)", found["value"]],
        [f"overlap{' before the deformation' if settings['deformable'] else ''}", f"{100 * found['overlap']:.0f} %"],
        [linear["type"], _numbers(linear["parameters"], 6)],
        ["evaluations of the metric", found["evaluations"]],
    ]
    if found["confidence"] is not None:
        name = f"{CONFIDENCE}{', before the deformation' if settings['deformable'] else ''}"
        result.insert(2, [name, f"{100 * found['confidence']:.0f} %"])
    if "pressure_mm" in found:
        result.append(["pressure of the probe, p1 and p2 (mm)", _numbers(found["pressure_mm"], 4)])
    tables: dict[str, list[list[object]]] = {"Result": result}
    headers: dict[str, tuple[str, ...]] = {}
    curves = {"Metric by iteration: one optimisation after the other, each over sharper descriptors": found["trace"]}
    if "deformation" in found:
        deformation = found["deformation"]
        tables["Deformation"] = [
            *(
                [f"Jacobian determinant, {name}", deformation["jacobian_percentiles"][percent]]
                for percent, name in PERCENTILES.items()
            ),
            ["folded cells", f"{100 * deformation['folds']:.3g} %"],
            ["value in the last iteration", deformation["value"]],
            ["overlap", f"{100 * deformation['overlap']:.0f} %"],
            *(["displacement (mm), " + name, value] for name, value in deformation["displacement_mm"].items()),
        ]
        curves["Metric of the deformation by iteration"] = [deformation["trace"]]
    if "errors_mm" in found:
        heading = "Distance from the true transform (mm)"
        errors = found["errors_mm"]
        tables[heading] = [[name, errors["before"][name], errors["after"][name]] for name in SUMMARY]
        headers[heading] = ("", "before", "after")
    if "landmark_errors_mm" in found:
        heading = "Landmark errors (mm)"
        errors = found["landmark_errors_mm"]
        tables[heading] = [[i + 1, *both] for i, both in enumerate(zip(errors["before"], errors["after"], strict=True))]
        tables[heading].append(["mean", *(float(np.mean(errors[name])) for name in ("before", "after"))])
        headers[heading] = ("landmark", "before", "after")
    if len(found["optima"]) > 1:
        heading = "Poses that the search ended at, the best first"
        tables[heading] = [
            [i + 1, optimum["value"], _numbers(optimum["parameters"], 4)] for i, optimum in enumerate(found["optima"])
        ]
        headers[heading] = ("", "value", "parameters")
    tables["Seconds"] = [[name, seconds] for name, seconds in found["seconds"].items()]
    tables["Settings"] = [[name, value] for name, value in settings.items()]
    tables["Versions"] = [[name, version] for name, version in found["versions"].items()]
    kind = f"{settings['transform']}, then a deformation" if settings["deformable"] else settings["transform"]
    subtitle = f"{settings['search']} search, {kind}, {found['seconds']['total']:.1f} s"
    return Page(title, subtitle, found["doubts"], tables, headers, curves)


def _described(transform: sitk.Transform) -> dict[str, Any]:
    """A transform's type and numbers; the parts of a composite, the last one applied first, and no field's vectors."""
    if transform.GetTransformEnum() == sitk.sitkComposite:
        composite = sitk.CompositeTransform(transform)
        parts = [composite.GetNthTransform(i) for i in range(composite.GetNumberOfTransforms())]
        return {"type": transform.GetName(), "parts": [_described(part) for part in parts]}
    if not transform.IsLinear():
        return {"type": transform.GetName()}
    return {
        "type": transform.GetName(),
        "parameters": list(transform.GetParameters()),
        "fixed_parameters": list(transform.GetFixedParameters()),
    }


def _deformation(result: DeformableResult) -> dict[str, Any]:
    displacements = sitk.GetArrayViewFromImage(result.displacement_field.GetDisplacementField())
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


def _numbers(values: list[float], digits: int) -> str:
    return ", ".join(f"{value:.{digits}g}" for value in values)
