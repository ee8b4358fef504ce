# SPDX-License-Identifier: Apache-2.0
"""The numbers of SimpleITK's transforms, looked at before anything computes with them."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from disa.errors import RegistrationError
from disa.geometry.pixels import pixels_of

LARGEST = 1e9
"""A thousand kilometres in mm; nothing of a body or a scanner is farther off."""


def check_numbers(transform: sitk.Transform, name: str) -> None:
    """Refuse a transform with NaN, infinity or a number that no place has.

    Args:
        transform: any of SimpleITK's; of a composite all parts are looked at, of a field all displacements.
        name: what messages call it.

    Raises:
        RegistrationError: a parameter or a fixed parameter is not finite, or beyond `LARGEST`.
    """
    kind = transform.GetTransformEnum()
    if kind == sitk.sitkComposite:
        composite = sitk.CompositeTransform(transform)
        for index in range(composite.GetNumberOfTransforms()):
            check_numbers(composite.GetNthTransform(index), name)
        return
    if kind == sitk.sitkDisplacementField:
        numbers = pixels_of(sitk.DisplacementFieldTransform(transform).GetDisplacementField())
        frame = transform.GetFixedParameters()
    else:
        numbers, frame = np.array(transform.GetParameters()), transform.GetFixedParameters()
    for values in (numbers, np.array(frame)):
        if not (np.abs(values) <= LARGEST).all():
            raise RegistrationError(
                f"{name}: expected finite parameters, found NaN, infinity or one beyond {LARGEST:g}"
            )
