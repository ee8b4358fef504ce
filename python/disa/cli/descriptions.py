# SPDX-License-Identifier: Apache-2.0
"""What `disa info` says, as plain values: texts, numbers, and lists and mappings of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from disa.core import FeatureVolume
from disa.geometry.linear import matrix_and_offset
from disa.geometry.pixels import pixels_of
from disa.io.transform_files import read_transform
from disa.network.models import describe_model, find_model, shipped_models

WHOLE = ("stride", "channels", "receptive_field")
"""Of a model's metadata, whole numbers; a receptive field may also be a text."""


def described(what: str) -> dict[str, Any]:
    """A shipped model's name or a file. Raises DISAError."""
    path = Path(what)
    if path.suffix.lower() == ".disa":
        return _features(path)
    if path.suffix.lower() == ".onnx":
        return _model(path)
    if what in shipped_models() or not path.suffix:
        return _model(find_model(what, 4))
    return {"kind": "transform from fixed to moving points, mm (LPS)", **_transform(read_transform(path), what)}


def _model(path: Path) -> dict[str, Any]:
    about: dict[str, Any] = {"kind": "model", "file": str(path), **describe_model(path)}
    for name in WHOLE:
        if str(about.get(name, "")).isdigit():
            about[name] = int(about[name])
    about["spacing_mm"] = float(about["spacing_mm"])
    return about


def _features(path: Path) -> dict[str, Any]:
    features = FeatureVolume.load(path)
    z, y, x, channels = features.data.shape
    return {
        "kind": "descriptors",
        "size": [x, y, z],
        "channels": channels,
        "spacing_mm": [float(number) for number in features.spacing],
        "origin_mm": [float(number) for number in features.origin],
        "direction": np.reshape(features.direction, (3, 3)).tolist(),
        "share_that_counts": float((np.asarray(features.weights) > 0).mean()),
    }


def _transform(transform: sitk.Transform, name: str) -> dict[str, Any]:
    about: dict[str, Any] = {"type": transform.GetName()}
    if transform.GetTransformEnum() == sitk.sitkComposite:
        composite = sitk.CompositeTransform(transform)
        parts = [composite.GetNthTransform(index) for index in range(composite.GetNumberOfTransforms())]
        about["first_applied"] = [_transform(part, name) for part in reversed(parts)]
    elif transform.GetTransformEnum() == sitk.sitkDisplacementField:
        about |= _field(sitk.DisplacementFieldTransform(transform).GetDisplacementField())
    elif transform.IsLinear():
        about |= _linear(transform, name)
    else:
        about |= {"parameters": transform.GetNumberOfParameters(), "grid": list(transform.GetFixedParameters())}
    return about


def _field(field: sitk.Image) -> dict[str, Any]:
    lengths = np.linalg.norm(pixels_of(field), axis=-1)
    return {
        "size": list(field.GetSize()),
        "spacing_mm": list(field.GetSpacing()),
        "origin_mm": list(field.GetOrigin()),
        "displacement_mm": {"mean": float(lengths.mean()), "max": float(lengths.max())},
    }


def _linear(transform: sitk.Transform, name: str) -> dict[str, Any]:
    matrix, offset = matrix_and_offset(transform, name)
    left, _, right = np.linalg.svd(matrix)
    rotation = left @ right
    angle = np.degrees(np.arccos(np.clip((abs(np.trace(rotation)) - 1) / 2, -1.0, 1.0)))
    return {
        "rotation_deg": float(angle),
        "volume_factor": float(np.linalg.det(matrix)),
        "matrix": np.column_stack([matrix, offset]).tolist(),
        "parameters": list(transform.GetParameters()),
        "fixed_parameters": list(transform.GetFixedParameters()),
    }
