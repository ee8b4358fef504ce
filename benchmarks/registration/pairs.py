# SPDX-License-Identifier: Apache-2.0
"""A case in memory: its images, the moving one on a grid of its own, and the points that errors are measured at."""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from cases import Case
from geometry import random_pose, sample_points, turned
from simulated_ultrasound import simulate

from disa.geometry.linear import matrix_and_offset

FloatArray = np.ndarray

AIR = -500
"""HU; an image that has darker voxels is a CT."""


@dataclass(frozen=True)
class Pair:
    """What a method registers.

    Attributes:
        fixed, moving: float32.
        fixed_mask, moving_mask: uint8 on grids of their own, not 0 where the image counts; None: everywhere.
        points: shape (n, 3), mm, in the fixed image.
        targets: where the truth takes them.
        truth: from fixed to moving points.
    """

    fixed: sitk.Image
    moving: sitk.Image
    fixed_mask: sitk.Image | None
    moving_mask: sitk.Image | None
    points: FloatArray
    targets: FloatArray
    truth: sitk.Euler3DTransform

    def error(self, transform: sitk.Transform) -> float:
        """Mean distance in mm between where a transform takes the points and their targets."""
        moved = np.asarray([transform.TransformPoint(point) for point in self.points.tolist()])
        return float(np.linalg.norm(moved - self.targets, axis=1).mean())

    def start(self, rng: np.random.Generator, error: tuple[float, float]) -> sitk.Euler3DTransform:
        """A rigid pose that is off the truth by a mean of so many mm at the points."""
        pose = random_pose(self.fixed, rng, error, points=self.points)
        matrix, offset = matrix_and_offset(sitk.CompositeTransform([self.truth, pose]), "pose")
        return _rigid(matrix, offset, np.asarray(pose.GetCenter()))


def generator(case: Case, seed: int, *numbers: int) -> np.random.Generator:
    """Random numbers of a case, the same in every process."""
    return np.random.default_rng([seed, zlib.crc32(case.name.encode()), *numbers])


@functools.lru_cache(maxsize=1)
def load(case: Case, seed: int, pose: int) -> Pair:
    """The case with its moving image on the grid that belongs to a number of a pose."""
    fixed, fixed_mask = _fixed_side(case, seed)
    moving = sitk.ReadImage(str(case.moving), sitk.sitkFloat32)
    if case.fixed_points:
        points, targets = np.asarray(case.fixed_points), np.asarray(case.moving_points)
        truth = _best_rigid(points, targets)
    else:
        points = sample_points(fixed)
        if fixed_mask is not None:
            points = np.asarray([p for p in points.tolist() if _is_inside(fixed_mask, p)])
        targets, truth = points, sitk.Euler3DTransform()
    mask = None if case.moving_mask is None else sitk.ReadImage(str(case.moving_mask), sitk.sitkUInt8)
    return Pair(fixed, turned(moving, generator(case, seed, pose)), fixed_mask, mask, points, targets, truth)


@functools.lru_cache(maxsize=1)
def _fixed_side(case: Case, seed: int) -> tuple[sitk.Image, sitk.Image | None]:
    image = sitk.ReadImage(str(case.fixed), sitk.sitkFloat32)
    if case.simulated:
        image = simulate(image, "ct" if sitk.GetArrayViewFromImage(image).min() < AIR else "mr", generator(case, seed))
    if case.fixed_mask is not None:
        return image, sitk.ReadImage(str(case.fixed_mask), sitk.sitkUInt8)
    return image, _sector(image) if case.sector else None


def _sector(ultrasound: sitk.Image) -> sitk.Image:
    """Where an ultrasound volume is not black: its field of view, small black parts filled."""
    return sitk.BinaryMorphologicalClosing(sitk.Cast(ultrasound > 0, sitk.sitkUInt8), [3] * 3)


def _is_inside(mask: sitk.Image, point: list[float]) -> bool:
    index = mask.TransformPhysicalPointToIndex(point)
    return all(0 <= i < n for i, n in zip(index, mask.GetSize(), strict=True)) and mask[index] != 0


def _best_rigid(points: FloatArray, targets: FloatArray) -> sitk.Euler3DTransform:
    """Least squares, from points to targets."""
    fitted = sitk.LandmarkBasedTransformInitializer(
        sitk.VersorRigid3DTransform(), points.ravel().tolist(), targets.ravel().tolist()
    )
    return _rigid(*matrix_and_offset(fitted, "fit"), points.mean(axis=0))


def _rigid(matrix: FloatArray, offset: FloatArray, centre: FloatArray) -> sitk.Euler3DTransform:
    rigid = sitk.Euler3DTransform()
    rigid.SetCenter(centre.tolist())
    rigid.SetMatrix(matrix.ravel().tolist(), 1e-6)
    rigid.SetTranslation((matrix @ centre + offset - centre).tolist())
    return rigid
