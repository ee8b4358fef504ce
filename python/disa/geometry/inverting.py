# SPDX-License-Identifier: Apache-2.0
"""Inverse transforms: in closed form where there is one, and of displacement fields by iteration."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import RegistrationError
from disa.geometry.applying import displacements_on
from disa.geometry.pixels import pixels_of
from disa.interrupts import aborting
from disa.progress import announce

ITERATIONS = 50
MEAN_TOLERANCE, MOST_TOLERANCE = 0.001, 0.01
"""Mean and greatest error at which the iteration ends, in nodes."""
LARGEST_ERROR = 0.5
"""Nodes; where forth and back misses by more the field folds."""


def inverted(transform: sitk.Transform, name: str, grid: sitk.Image | None = None) -> sitk.Transform:
    """The inverse transform.

    Of a displacement field it is another one on the same nodes, good where the field leads to from inside of them. What
    else has no inverse in closed form, as a B-spline, becomes a displacement field on a grid first.

    Args:
        transform: to invert; the parts of a composite are inverted one by one.
        name: what a message calls it.
        grid: image that has this grid.

    Raises:
        RegistrationError: it has no inverse in closed form and no grid is given, or it folds.
    """
    if transform.GetTransformEnum() == sitk.sitkComposite:
        composite = sitk.CompositeTransform(transform)
        parts = [composite.GetNthTransform(index) for index in range(composite.GetNumberOfTransforms())]
        return sitk.CompositeTransform([inverted(part, name, grid) for part in reversed(parts)])
    if transform.GetTransformEnum() == sitk.sitkDisplacementField:
        return _inverse_of_field(sitk.DisplacementFieldTransform(transform).GetDisplacementField(), name)
    try:
        inverse: sitk.Transform = transform.GetInverse()
    except RuntimeError:
        if grid is None:
            raise RegistrationError(
                f"{name}: a {transform.GetName()} has no inverse in closed form; give --reference, the fixed image, "
                "on whose grid it is inverted"
            ) from None
        return _inverse_of_field(displacements_on(transform, grid), name)
    return inverse


def _inverse_of_field(field: sitk.Image, name: str) -> sitk.Transform:
    """Raises RegistrationError where going forth and back misses, as it does where the field folds."""
    margins = _margins(field)
    # Its border is repeated outside, so that places near the border are reached from somewhere.
    wide = sitk.ZeroFluxNeumannPad(field, margins, margins)
    inverting = sitk.InvertDisplacementFieldImageFilter()
    inverting.SetMaximumNumberOfIterations(ITERATIONS)
    inverting.SetMeanErrorToleranceThreshold(MEAN_TOLERANCE)
    inverting.SetMaxErrorToleranceThreshold(MOST_TOLERANCE)
    inverting.SetEnforceBoundaryCondition(False)
    inverting.AddCommand(sitk.sitkProgressEvent, lambda: announce("inverting", inverting.GetProgress()))
    with aborting(inverting):
        inverse = sitk.Cast(inverting.Execute(wide), sitk.sitkVectorFloat64)
    inverse = sitk.Crop(inverse, margins, margins)
    missed = _largest_miss(field, inverse)
    if missed > LARGEST_ERROR * min(field.GetSpacing()):
        raise RegistrationError(
            f"{name}: cannot be inverted, going forth and back misses by {missed:.2g} mm; it folds, so register again, "
            "by --deformable --fold-free or with the images exchanged"
        )
    found: sitk.Transform = sitk.DisplacementFieldTransform(inverse)
    return found


def _margins(field: sitk.Image) -> list[int]:
    """Nodes that the field reaches beyond its grid along each axis, no more than it has."""
    most = np.abs(_moves(field)).max(axis=(0, 1, 2), initial=0.0)
    return [min(int(np.ceil(count)) + 1, size) for count, size in zip(most, field.GetSize(), strict=True)]


def _moves(field: sitk.Image) -> npt.NDArray[np.float64]:
    """Displacements in nodes, shape (z, y, x, 3), along the field's own axes x, y, z."""
    axes = np.asarray(field.GetDirection()).reshape(3, 3) * field.GetSpacing()
    moves: npt.NDArray[np.float64] = pixels_of(field) @ np.linalg.inv(axes).T
    return moves


def _largest_miss(field: sitk.Image, inverse: sitk.Image) -> float:
    """mm between a node and where the field and then its inverse take it, of nodes that stay inside of the field."""
    there, back = (sitk.DisplacementFieldTransform(sitk.Image(image)) for image in (field, inverse))
    both = displacements_on(sitk.CompositeTransform([back, there]), field)
    misses = np.linalg.norm(pixels_of(both), axis=-1)
    moves = _moves(field)
    nodes = np.ogrid[tuple(slice(0, n) for n in field.GetSize()[::-1])][::-1]
    inside = np.ones(misses.shape, bool)
    for axis, node in enumerate(nodes):
        place = node + moves[..., axis]
        inside &= (place >= 0) & (place <= field.GetSize()[axis] - 1)
    return float(misses[inside].max(initial=0.0))
