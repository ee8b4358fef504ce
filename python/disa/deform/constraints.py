# SPDX-License-Identifier: Apache-2.0
"""What a caller knows of the deformation beforehand: parts that stay rigid, and landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.checking import is_finite
from disa.deform.landmarks import Landmarks
from disa.deform.rigid_parts import RigidParts
from disa.errors import RegistrationError
from disa.geometry.linear import matrix_and_offset
from disa.geometry.pixels import pixels_of
from disa.io.images import ImageLike, load_labels

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Constraints:
    """Of `disa.deformable_register`.

    They need a linear `initial_transform`, or none.

    Attributes:
        fixed_rigid_parts: label image or path; each label but 0 is a part, a bone for example, that moves rigidly.
            Give bones that move against each other different labels.
        moving_rigid_parts: the same of the moving image, seen through the transform that was found. Give one of both.
        fixed_landmarks: points of the fixed image, shape (n, 3), mm, LPS.
        moving_landmarks: the same places in the moving image.
        landmark_tolerance: mm, how exact landmarks are, as a standard deviation. The field may miss them by about as
            much.

    Raises:
        RegistrationError: something does not go together or is out of its range.
    """

    fixed_rigid_parts: ImageLike | None = None
    moving_rigid_parts: ImageLike | None = None
    fixed_landmarks: npt.ArrayLike | None = None
    moving_landmarks: npt.ArrayLike | None = None
    landmark_tolerance: float = 2.0

    def __post_init__(self) -> None:
        if self.fixed_rigid_parts is not None and self.moving_rigid_parts is not None:
            raise RegistrationError("moving_rigid_parts: expected fixed_rigid_parts or these, not both")
        if (self.fixed_landmarks is None) != (self.moving_landmarks is None):
            raise RegistrationError("fixed_landmarks and moving_landmarks go together; give both")
        if self.fixed_landmarks is not None:
            fixed, moving = self.landmarks
            if len(fixed) != len(moving):
                raise RegistrationError(
                    f"moving_landmarks: expected as many as fixed_landmarks, {len(fixed)}, got {len(moving)}"
                )
        if not (is_finite(self.landmark_tolerance) and self.landmark_tolerance > 0):
            raise RegistrationError(f"landmark_tolerance: expected mm above 0, got {self.landmark_tolerance}")

    @property
    def landmarks(self) -> tuple[FloatArray, FloatArray]:
        """Fixed and moving ones, shape (n, 3) each, mm. Raises RegistrationError where they are no points."""
        return _points(self.fixed_landmarks, "fixed_landmarks"), _points(self.moving_landmarks, "moving_landmarks")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is constrained."""
        given = (self.fixed_rigid_parts, self.moving_rigid_parts, self.fixed_landmarks)
        return all(one is None for one in given)


@dataclass(frozen=True)
class OpenedConstraints:
    """The same, read and checked.

    Attributes:
        parts: None where none is rigid.
        landmarks: None where there are none.
    """

    parts: RigidParts | None = None
    landmarks: Landmarks | None = None


def open_constraints(constraints: Constraints | None, initial: sitk.Transform | None) -> OpenedConstraints:
    """Read what a caller gave.

    Raises:
        ImageError: a label image cannot be used.
        RegistrationError: no label is above 0, or the initial transform is not linear.
    """
    if constraints is None or constraints.is_empty:
        return OpenedConstraints()
    if initial is not None and not initial.IsLinear():
        raise RegistrationError(
            f"initial_transform: expected a linear one, or none, with constraints, got a {initial.GetName()}"
        )
    start = (np.eye(3), np.zeros(3)) if initial is None else matrix_and_offset(initial, "initial_transform")
    landmarks = None
    if constraints.fixed_landmarks is not None:
        fixed, moving = constraints.landmarks
        targets = (moving - start[1]) @ np.linalg.inv(start[0]).T
        landmarks = Landmarks(fixed, targets, constraints.landmark_tolerance)
    parts = None
    for name in ("fixed_rigid_parts", "moving_rigid_parts"):
        given = getattr(constraints, name)
        if given is not None:
            parts = RigidParts(_labels(given, name), name == "moving_rigid_parts", *start)
    return OpenedConstraints(parts, landmarks)


def _labels(given: ImageLike, name: str) -> sitk.Image:
    labels = load_labels(given, name)
    if not pixels_of(labels).any():
        raise RegistrationError(f"{name}: every voxel is 0; expected a label above 0 for each rigid part")
    return labels


def _points(given: npt.ArrayLike | None, name: str) -> FloatArray:
    try:
        points = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise RegistrationError(f"{name}: expected finite points in mm, shape (n, 3), got {given!r}") from None
    if points.ndim != 2 or points.shape[1:] != (3,) or len(points) == 0 or not np.isfinite(points).all():
        raise RegistrationError(f"{name}: expected finite points in mm, shape (n, 3), got shape {points.shape}")
    return points
