"""The push of an ultrasound probe, two parameters beside a rigid pose."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import _core
from disa.errors import RegistrationError
from disa.geometry.grid import Grid

FloatArray = npt.NDArray[np.float64]

FIELD_SPACING = 2.0
FIELD_MARGIN = 20.0
"""mm between the vectors of an exported field, which is blended linearly between them, and beyond the box asked for."""


@dataclass(frozen=True)
class ProbePressure:
    """Where a probe pushes: points shift along its axis, most at the skin and not at all beyond a depth.

    At depth t = clamp(axis . (x - contact) / depth, 0, 1) a point x moves by (p1 (1 - t)^2 + p2 t (1 - t)) axis, before
    any rigid pose. The DISA paper has two such parameters and does not print its formula; this one is this project's.

    Attributes:
        contact: where the probe touches, (x, y, z) in mm in the fixed image's space.
        axis: direction into the body, of any length.
        depth: mm beyond which nothing moves.

    Raises:
        RegistrationError: a number is not finite, the axis has no length or the depth is not above 0.
    """

    contact: tuple[float, float, float]
    axis: tuple[float, float, float]
    depth: float

    def __post_init__(self) -> None:
        numbers = (*self.contact, *self.axis, self.depth)
        if len(numbers) != 7 or not all(math.isfinite(n) for n in numbers):
            raise RegistrationError(
                f"probe: expected a contact and an axis of 3 finite numbers and a depth, got {self}"
            )
        if not (self.depth > 0 and np.linalg.norm(self.axis) > 0):
            raise RegistrationError(f"probe: expected a depth above 0 mm and an axis of some length, got {self}")

    @property
    def compiled(self) -> _core.ProbePressure:
        """The same for the compiled search."""
        return _core.ProbePressure(self.contact, self.unit_axis, self.depth)

    @property
    def unit_axis(self) -> FloatArray:
        """The axis, of length 1."""
        axis: FloatArray = np.asarray(self.axis) / np.linalg.norm(self.axis)
        return axis

    def shift(self, points: FloatArray, p1: float, p2: float) -> FloatArray:
        """Displacements of points, both of shape (..., 3), mm."""
        return self.compiled.shift(points.reshape(-1, 3), p1, p2).reshape(points.shape)

    def transform(self, p1: float, p2: float, corners: FloatArray, axes: FloatArray) -> sitk.DisplacementFieldTransform:
        """The push as a displacement field over a box.

        Args:
            p1: mm at the skin.
            p2: mm, four times the part that is greatest at half the depth.
            corners: points that the box is to hold, shape (n, 3). Points 20 mm or more outside of it are left in place.
            axes: (3, 3) axes of the field's grid, as columns.
        """
        along = corners @ axes
        low = along.min(axis=0) - FIELD_MARGIN
        size = np.ceil((along.max(axis=0) + FIELD_MARGIN - low) / FIELD_SPACING).astype(int) + 1
        grid = Grid.isotropic(size, axes @ low, FIELD_SPACING, axes)
        steps = [low[k] + FIELD_SPACING * np.arange(size[k]) for k in range(3)]
        z, y, x = np.meshgrid(steps[2], steps[1], steps[0], indexing="ij")
        shifts = self.shift(np.stack([x, y, z], -1) @ axes.T, p1, p2)
        return sitk.DisplacementFieldTransform(grid.image_of(shifts, is_vector=True))
