# SPDX-License-Identifier: Apache-2.0
"""`itk.ProbePressureTransform` and its inverse, as proxies of the itk package's `itk.Transform[itk.D, 3, 3]`.

The shim `itk/DISATransformPython.py` puts them into the `itk` namespace, where ITK's lazy loading finds them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from itk.itkEuler3DTransformPython import itkEuler3DTransformD
from itk.itkOptimizerParametersPython import itkOptimizerParametersD
from itk.itkTransformBasePython import itkTransformD33
from itk.support import template_class

from disa.doors.itk.compiled import _itk
from disa.errors import DISAError, RegistrationError

_RIGID, _PRESSURE = slice(0, 6), slice(6, 8)
"""Where they are among the parameters."""

_CENTRE, _CONTACT, _AXIS, _DEPTH = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 10)
"""Where they are among the fixed parameters."""


def _parameters(numbers: Sequence[float]) -> Any:
    """As ITK's transforms take them."""
    parameters = itkOptimizerParametersD(len(numbers))
    for k, number in enumerate(numbers):
        parameters[k] = float(number)
    return parameters


def _replaced(numbers: Iterable[float], where: slice, by: Iterable[float]) -> list[float]:
    """The numbers with some of them replaced. Raises RegistrationError if there are not as many."""
    replaced, new = list(numbers), list(by)
    if len(new) != len(replaced[where]):
        raise RegistrationError(f"expected {len(replaced[where])} numbers, got {len(new)}")
    replaced[where] = new
    return replaced


class _TransformMethods:
    """What the proxies share."""

    _functions: _itk.TransformFunctions
    this: Any

    @classmethod
    def New(cls, *args: Any, **kwargs: Any) -> Any:
        """A new transform. Keyword arguments call the setter of that name: `New(Depth=80.0)`."""
        transform = cls.__new__(cls)
        transform.this = cls._functions.make()
        template_class.New(transform, *args, **kwargs)
        return transform

    @classmethod
    def cast(cls, transform: Any) -> Any:
        """The same object as this class, where ITK gives it as one of a base class; `itk.down_cast` calls it.

        Raises:
            TypeError: it is another transform.
        """
        proxy = cls.__new__(cls)
        proxy.this = cls._functions.cast(transform)
        return proxy

    def Clone(self) -> Any:
        """A copy."""
        return self.cast(super().Clone())  # type: ignore[misc]

    def SetParameters(self, parameters: Any) -> None:
        """Three angles (radians, ZXY as in `itk.Euler3DTransform`), translation (mm), p1 and p2 (mm); any sequence.

        Raises:
            RegistrationError: there are not 8.
        """
        self._set("SetParameters", parameters)

    def SetFixedParameters(self, parameters: Any) -> None:
        """Centre of rotation, contact and axis (x, y, z) and depth, mm; any sequence.

        Raises:
            RegistrationError: there are not 10 finite ones, the axis has no length or the depth is not above 0.
        """
        self._set("SetFixedParameters", parameters)

    def _set(self, name: str, parameters: Any) -> None:
        try:
            getattr(super(), name)(_parameters(tuple(parameters)))
        except DISAError:
            raise
        except RuntimeError as error:
            raise RegistrationError(str(error).splitlines()[-1]) from None


class itkProbePressureTransformD(_TransformMethods, itkTransformD33):
    """A rigid transform after the push of an ultrasound probe; see `itk::ProbePressureTransform`.

    At depth t = clamp(axis . (x - contact) / depth, 0, 1) a point first moves by (p1 (1 - t)^2 + p2 t (1 - t)) axis.
    """

    _functions = _itk.probe_pressure_transform

    def SetCenter(self, center: Sequence[float]) -> None:
        """Centre of rotation (x, y, z), mm."""
        self._set_fixed(_CENTRE, center)

    def GetCenter(self) -> tuple[float, ...]:
        """Centre of rotation (x, y, z), mm."""
        return self._fixed(_CENTRE)

    def SetContact(self, contact: Sequence[float]) -> None:
        """Where the probe touches (x, y, z), mm."""
        self._set_fixed(_CONTACT, contact)

    def GetContact(self) -> tuple[float, ...]:
        """Where the probe touches (x, y, z), mm."""
        return self._fixed(_CONTACT)

    def SetAxis(self, axis: Sequence[float]) -> None:
        """Direction into the body, of any length above 0."""
        self._set_fixed(_AXIS, axis)

    def GetAxis(self) -> tuple[float, ...]:
        """Direction into the body, of length 1."""
        axis = self._fixed(_AXIS)
        return tuple(a / math.hypot(*axis) for a in axis)

    def SetDepth(self, depth: float) -> None:
        """Millimetres beyond which nothing is pushed."""
        self._set_fixed(_DEPTH, [depth])

    def GetDepth(self) -> float:
        """Millimetres beyond which nothing is pushed."""
        return self._fixed(_DEPTH)[0]

    def SetPressure(self, pressure: Sequence[float]) -> None:
        """p1 and p2, mm."""
        self.SetParameters(_replaced(self.GetParameters(), _PRESSURE, pressure))

    def GetPressure(self) -> tuple[float, ...]:
        """p1 and p2, mm."""
        return tuple(self.GetParameters())[_PRESSURE]

    def SetRigidTransform(self, rigid: Any) -> None:
        """Take over pose and centre of a rigid transform, any of ITK's, such as a registration's."""
        euler = itkEuler3DTransformD.New()
        euler.SetCenter(rigid.GetCenter())
        euler.SetMatrix(rigid.GetMatrix())
        euler.SetTranslation(rigid.GetTranslation())
        self._set_fixed(_CENTRE, euler.GetCenter())
        self.SetParameters(_replaced(self.GetParameters(), _RIGID, euler.GetParameters()))

    def GetRigidTransform(self) -> Any:
        """What follows the push, a new `itk.Euler3DTransform[itk.D]`."""
        euler = itkEuler3DTransformD.New()
        euler.SetCenter(self.GetCenter())
        euler.SetParameters(_parameters(tuple(self.GetParameters())[_RIGID]))
        return euler

    def _fixed(self, where: slice) -> tuple[float, ...]:
        return tuple(self.GetFixedParameters())[where]

    def _set_fixed(self, where: slice, numbers: Iterable[float]) -> None:
        self.SetFixedParameters(_replaced(self.GetFixedParameters(), where, numbers))


class itkInverseProbePressureTransformD(_TransformMethods, itkTransformD33):
    """The inverse of a `ProbePressureTransform`, with its parameters; see `itk::InverseProbePressureTransform`."""

    _functions = _itk.inverse_probe_pressure_transform


for functions in (_itk.probe_pressure_transform, _itk.inverse_probe_pressure_transform):
    functions.register_transform()  # for itk.transformread
