# SPDX-License-Identifier: Apache-2.0
"""A transform's parameters with names and units, as a person reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

Row = list[object]

ORDER = "x, y, z"
"""Of axes: to the patient's left, to the back, to the head."""


def described(transform: sitk.Transform) -> dict[str, Any]:
    """A transform's type and numbers; the parts of a composite, the last one applied first, and no field's vectors."""
    if transform.GetTransformEnum() == sitk.sitkComposite:
        composite = sitk.CompositeTransform(transform)
        parts = [composite.GetNthTransform(i) for i in range(composite.GetNumberOfTransforms())]
        return {"type": transform.GetName(), "parts": [described(part) for part in parts]}
    if not transform.IsLinear():
        return {"type": transform.GetName()}
    return {
        "type": transform.GetName(),
        "parameters": list(transform.GetParameters()),
        "fixed_parameters": list(transform.GetFixedParameters()),
    }


def named(transform: dict[str, Any]) -> list[Row]:
    """Rows of names and values for what `described` says of a transform, or of a composite's linear part."""
    linear = transform["parts"][0] if "parts" in transform else transform
    kind, numbers = linear["type"], linear.get("parameters", [])
    rows: list[Row] = [["kind", kind]]
    if kind == "Euler3DTransform":
        degrees = np.degrees(numbers[:3])
        rows += [[f"rotation about {ORDER}", _with_unit(degrees, "°", 2)], _translation(numbers[3:])]
    elif kind == "TranslationTransform":
        rows.append(_translation(numbers))
    elif kind == "Similarity3DTransform":
        rows += [*_turn(numbers[:3]), _translation(numbers[3:6]), ["scale", f"{numbers[6]:.4f}"]]
    elif kind == "AffineTransform":
        matrix = np.reshape(numbers[:9], (3, 3))
        rows += [[f"matrix, row {axis}", _numbers(row, 4)] for axis, row in zip("xyz", matrix, strict=True)]
        rows += [_translation(numbers[9:]), ["volume, times", f"{np.linalg.det(matrix):.3f}"]]
    if kind != "TranslationTransform" and linear.get("fixed_parameters"):
        rows.append([f"centre of rotation, {ORDER}", _with_unit(linear["fixed_parameters"][:3], " mm", 1)])
    return rows


def _translation(numbers: npt.ArrayLike) -> Row:
    return [f"translation, {ORDER}", _with_unit(numbers, " mm", 2)]


def _turn(versor: npt.ArrayLike) -> list[Row]:
    """Of the vector part of a unit quaternion."""
    sine = float(np.linalg.norm(np.asarray(versor)))
    axis = np.asarray(versor) / sine if sine > 0 else np.zeros(3)
    angle = np.degrees(2 * np.arcsin(min(sine, 1.0)))
    return [["rotation", f"{angle:.2f}°"], [f"about the axis {ORDER}", _numbers(axis, 3)]]


def _with_unit(numbers: npt.ArrayLike, unit: str, digits: int) -> str:
    return f"{_numbers(numbers, digits)}{unit}"


def _numbers(numbers: npt.ArrayLike, digits: int) -> str:
    return ", ".join(f"{number:.{digits}f}" for number in np.asarray(numbers))
