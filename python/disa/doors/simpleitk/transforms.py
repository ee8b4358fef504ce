# SPDX-License-Identifier: Apache-2.0
"""SimpleITK's transforms to the registration engine and back, by value."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import SimpleITK as sitk

from disa.doors.simpleitk.compiled import _engine
from disa.errors import RegistrationError
from disa.geometry.linear import check_transform
from disa.geometry.pixels import pixels_of

_NAMES = {
    sitk.sitkIdentity: "IdentityTransform",
    sitk.sitkTranslation: "TranslationTransform",
    sitk.sitkScale: "ScaleTransform",
    sitk.sitkScaleLogarithmic: "ScaleLogarithmicTransform",
    sitk.sitkEuler: "Euler3DTransform",
    sitk.sitkSimilarity: "Similarity3DTransform",
    sitk.sitkQuaternionRigid: "QuaternionRigidTransform",
    sitk.sitkVersor: "VersorTransform",
    sitk.sitkVersorRigid: "VersorRigid3DTransform",
    sitk.sitkScaleSkewVersor: "ScaleSkewVersor3DTransform",
    sitk.sitkComposeScaleSkewVersor: "ComposeScaleSkewVersor3DTransform",
    sitk.sitkScaleVersor: "ScaleVersor3DTransform",
    sitk.sitkAffine: "AffineTransform",
    sitk.sitkComposite: "CompositeTransform",
    sitk.sitkDisplacementField: "DisplacementFieldTransform",
    sitk.sitkBSplineTransform: "BSplineTransform",
}

_PRINTED_OBJECT = re.compile(r"^\s*(\w+) \((0x[0-9a-f]+)\)", re.MULTILINE)
"""The class and the address of a transform of ITK."""

_FIELD_OPTIONS = {
    "GaussianSmoothingOnUpdateDisplacementFieldTransform": {
        "varianceForUpdateField": "GaussianSmoothingVarianceForTheUpdateField",
        "varianceForTotalField": "GaussianSmoothingVarianceForTheTotalField",
    },
    "BSplineSmoothingOnUpdateDisplacementFieldTransform": {
        "order": "SplineOrder",
        "enforceStationaryBoundary": "EnforceStationaryBoundary",
        "numberOfControlPointsForUpdateField": "NumberOfControlPointsForTheUpdateField",
        "numberOfControlPointsForTotalField": "NumberOfControlPointsForTheTotalField",
    },
}


def describe_transform(transform: sitk.Transform, name: str) -> _engine.TransformDescription:
    """A transform as the engine takes it.

    Args:
        transform: any 3-D transform of SimpleITK.
        name: what messages call it.

    Raises:
        RegistrationError: it is not 3-D, of a kind that DISA does not take, or has numbers that are not finite.
    """
    own = downcast(transform)
    check_transform(own, name)
    kind = own.GetTransformEnum()
    if kind not in _NAMES:
        raise RegistrationError(f"{name}: DISA does not take a transform of type {_class_name(own)}")
    if kind == sitk.sitkComposite:
        parts = [own.GetNthTransform(n) for n in range(own.GetNumberOfTransforms())]
        return _engine.TransformDescription(_NAMES[kind], parts=[describe_transform(part, name) for part in parts])
    if kind == sitk.sitkBSplineTransform and own.GetOrder() != 3:
        raise RegistrationError(f"{name}: DISA takes B-splines of order 3, got one of order {own.GetOrder()}")
    if kind == sitk.sitkDisplacementField:
        return _describe_field(own, name)
    return _engine.TransformDescription(
        _NAMES[kind],
        fixed_parameters=np.array(own.GetFixedParameters()),
        parameters=np.array(own.GetParameters()),
    )


def downcast(transform: sitk.Transform) -> Any:
    """The transform as an object of its own class, where SimpleITK has one for it."""
    try:
        return transform.Downcast()
    except (KeyError, TypeError):  # SimpleITK's table lacks ComposeScaleSkewVersor3DTransform
        return sitk.Transform(transform)


def _class_name(transform: sitk.Transform) -> str:
    """ITK's class; what SimpleITK prints is the only place that has it."""
    found = _PRINTED_OBJECT.search(str(transform))
    return found[1] if found else transform.GetName()


def _describe_field(transform: sitk.DisplacementFieldTransform, name: str) -> _engine.TransformDescription:
    printed = str(transform)
    if "VectorLinearInterpolateImageFunction" not in printed:
        raise RegistrationError(
            f"{name}: DISA takes displacement fields with linear interpolation; call SetInterpolator(sitkLinear)"
        )
    kind = _class_name(transform)
    field = pixels_of(transform.GetDisplacementField())
    return _engine.TransformDescription(
        kind,
        fixed_parameters=np.array(transform.GetFixedParameters()),
        parameters=field.ravel(),
        options={key: _printed_numbers(printed, label) for key, label in _FIELD_OPTIONS.get(kind, {}).items()},
    )


def _printed_numbers(printed: str, label: str) -> list[float]:
    """The numbers after a label in what SimpleITK prints, which has no getters for them."""
    line = re.search(rf"^\s*{label}: (.*)$", printed, re.MULTILINE)
    if line is None:
        raise RegistrationError(f"SimpleITK {sitk.Version().VersionString()} does not print {label}")
    switches = {"On": 1.0, "Off": 0.0}
    words = (word.strip() for word in line[1].strip("[] ").split(","))
    return [switches[word] if word in switches else float(word) for word in words]


def update_transform(transform: sitk.Transform, description: _engine.TransformDescription) -> None:
    """Give a transform the numbers that the engine has found for it. Of a composite, those of its last part."""
    if description.parts:
        last = description.parts[-1]
        while last.parts:
            last = last.parts[-1]
        transform.SetParameters(last.parameters.tolist())
    elif isinstance(transform, sitk.DisplacementFieldTransform):
        transform.SetDisplacementField(_field_image(description))
    else:
        fixed = description.fixed_parameters.tolist()
        if list(transform.GetFixedParameters()) != fixed:
            transform.SetFixedParameters(fixed)
        transform.SetParameters(description.parameters.tolist())


def _field_image(description: _engine.TransformDescription) -> sitk.Image:
    # ITK's order of a field's fixed parameters: size, origin, spacing, direction.
    fixed = description.fixed_parameters
    size = fixed[2::-1].astype(int)
    image = sitk.GetImageFromArray(description.parameters.reshape(*size, 3), isVector=True)
    image.SetOrigin(fixed[3:6].tolist())
    image.SetSpacing(fixed[6:9].tolist())
    image.SetDirection(fixed[9:].tolist())
    return image


class HeldTransform:
    """What a registration in place changes: the caller's own object, until the caller changes it.

    SimpleITK's transforms are handles that share one transform of ITK until one of them is written to, which then gets
    a copy of its own. So a caller's handle counts as the method's as long as both still share.
    """

    def __init__(self, methods: sitk.Transform, given: sitk.Transform | None) -> None:
        """
        Args:
            methods: a handle of the method's.
            given: the handle that the caller gave it, which may have been changed since.
        """
        self.given = given
        self._shared = given if given is not None and _identity(given) == _identity(methods) else None
        self._handle = methods

    def update(self, description: _engine.TransformDescription) -> sitk.Transform:
        """Give the transform, and the caller's if it is still the same, the engine's numbers.

        Returns:
            A handle, the caller's if it is still the same.
        """
        if self._shared is not None and not _have_parted(self._shared, self._handle):
            self._handle = self._shared  # a handle less, so writing to the other makes no copy
            update_transform(self._shared, description)
            self._handle = sitk.Transform(self._shared)
            return self._shared
        self._shared = None
        if type(self._handle) is sitk.Transform:
            self._handle = downcast(self._handle)
        update_transform(self._handle, description)
        return self._handle

    def copy(self) -> sitk.Transform:
        """The transform as it is now."""
        return sitk.Transform(self._handle)


def _have_parted(one: sitk.Transform, other: sitk.Transform) -> bool:
    """Whether one of two handles that shared has been written to; if they have few numbers, with new ones."""
    if one.GetNumberOfParameters() <= 16:  # then comparing takes a third of the time, which is spent at each iteration
        return bool(one.GetParameters() != other.GetParameters())
    return _identity(one) != _identity(other)


def _identity(transform: sitk.Transform) -> str | None:
    """What tells the transform of ITK behind a handle; what SimpleITK prints is the only place that has it."""
    found = _PRINTED_OBJECT.search(str(transform))
    return found[2] if found else None
