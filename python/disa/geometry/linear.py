# SPDX-License-Identifier: Apache-2.0
"""SimpleITK's linear transforms as matrix and offset, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import RegistrationError
from disa.geometry.transform_numbers import check_numbers

FloatArray = npt.NDArray[np.float64]

_TOLERANCE = 1e-6


def check_transform(transform: sitk.Transform, name: str) -> None:
    """Raises RegistrationError unless it is a 3-D transform of SimpleITK's with finite numbers."""
    if not isinstance(transform, sitk.Transform):
        raise RegistrationError(f"{name}: expected a SimpleITK transform, got {type(transform).__name__}")
    if transform.GetDimension() != 3:
        raise RegistrationError(f"{name}: expected a 3-D transform, got a {transform.GetDimension()}-D one")
    check_numbers(transform, name)


def matrix_and_offset(transform: sitk.Transform, name: str) -> tuple[FloatArray, FloatArray]:
    """The (3, 3) matrix A and offset b, mm, of a transform x -> A x + b.

    Raises:
        RegistrationError: it is not 3-D, not linear, cannot be inverted, or has parameters that are not finite.
    """
    check_transform(transform, name)
    if not transform.IsLinear():
        raise RegistrationError(f"{name}: expected a linear transform, got a {transform.GetName()}")
    offset = np.asarray(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.stack([np.asarray(transform.TransformPoint(p)) - offset for p in np.eye(3).tolist()], axis=1)
    if abs(np.linalg.det(matrix)) < _TOLERANCE:
        raise RegistrationError(f"{name}: expected a transform that can be inverted, its matrix is {matrix.tolist()}")
    return matrix, offset


def linear_transform(matrix: FloatArray, offset: FloatArray, centre: FloatArray) -> sitk.Transform:
    """The most special transform of SimpleITK that is x -> A x + b: a translation, rigid, a similarity or affine.

    Args:
        matrix: A, shape (3, 3).
        offset: b, mm.
        centre: of rotation, mm.
    """
    scale = np.cbrt(np.linalg.det(matrix))
    shift = matrix @ centre + offset - centre
    if np.allclose(matrix, np.eye(3), rtol=0.0, atol=_TOLERANCE * _TOLERANCE):
        return sitk.TranslationTransform(3, offset.tolist())
    if scale > 0 and np.allclose(matrix @ matrix.T, scale**2 * np.eye(3), rtol=0.0, atol=_TOLERANCE):
        if abs(scale - 1) < _TOLERANCE:
            rigid = sitk.Euler3DTransform()
            rigid.SetCenter(centre.tolist())
            rigid.SetMatrix((matrix / scale).ravel().tolist(), _TOLERANCE)
            rigid.SetTranslation(shift.tolist())
            return rigid
        similarity = sitk.Similarity3DTransform()
        similarity.SetCenter(centre.tolist())
        similarity.SetMatrix(matrix.ravel().tolist(), _TOLERANCE)
        similarity.SetTranslation(shift.tolist())
        return similarity
    return sitk.AffineTransform(matrix.ravel().tolist(), shift.tolist(), centre.tolist())
