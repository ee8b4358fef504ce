# SPDX-License-Identifier: Apache-2.0
"""A case in memory: its images, the moving one on a grid of its own, and the points that errors are measured at."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from cases import Case
from geometry import centre_of, mean_distance, points_inside, random_pose_about, sample_points, seeded, turned
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
        centre: of the rotations of starts, mm; None: of the fixed image.
        swapped: whether starts are drawn from the moving to the fixed image, about a centre in the moving one.
    """

    fixed: sitk.Image
    moving: sitk.Image
    fixed_mask: sitk.Image | None
    moving_mask: sitk.Image | None
    points: FloatArray
    targets: FloatArray
    truth: sitk.Euler3DTransform
    centre: FloatArray | None = None
    swapped: bool = False

    def error(self, transform: sitk.Transform) -> float:
        """Mean distance in mm between where a transform takes the points and their targets."""
        return mean_distance(transform, self.points, self.targets)

    def start(self, rng: np.random.Generator, error: tuple[float, float]) -> sitk.Euler3DTransform:
        """A rigid pose that is off the truth by a mean of so many mm at the points; in both roles the same."""
        centre = centre_of(self.fixed) if self.centre is None else self.centre
        points, truth = (self.targets, inverse(self.truth)) if self.swapped else (self.points, self.truth)
        pose = random_pose_about(centre, points, rng, error)
        start = rigid_about(sitk.CompositeTransform([truth, pose]), centre)
        return inverse(start) if self.swapped else start


@dataclass(frozen=True)
class Scene:
    """Two images with a known pose, before either is the fixed one.

    Attributes:
        one, other: float32.
        one_mask, other_mask: uint8 on grids of their own, not 0 where the image counts; None: everywhere.
        points: shape (n, 3), mm, in the one image; errors are measured there.
        targets: where the truth takes them.
        truth: from points of the one to those of the other.
        sector: whether the one is black beyond its mask.
    """

    one: sitk.Image
    other: sitk.Image
    one_mask: sitk.Image | None
    other_mask: sitk.Image | None
    points: FloatArray
    targets: FloatArray
    truth: sitk.Euler3DTransform
    sector: bool = False

    def pair(self, swapped: bool, rng: np.random.Generator | None) -> Pair:
        """The one image as the fixed one or, swapped, as the moving one, which gets a grid of its own; None: not so."""
        centre = centre_of(self.one)
        if not swapped:
            other = self.other if rng is None else turned(self.other, rng)
            return Pair(self.one, other, self.one_mask, self.other_mask, self.points, self.targets, self.truth, centre)
        one = self.one if rng is None else turned(self.one, rng)
        if self.sector and self.one_mask is not None:  # the turn rings beyond its edge
            one = sitk.Mask(one, sitk.Resample(self.one_mask, one, sitk.Transform(), sitk.sitkNearestNeighbor))
        truth = inverse(self.truth)
        return Pair(self.other, one, self.other_mask, self.one_mask, self.targets, self.points, truth, centre, True)


def inverse(rigid: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    """The way back, about where it takes the centre."""
    return rigid_about(rigid.GetInverse(), np.asarray(rigid.TransformPoint(rigid.GetCenter())))


def rigid_about(transform: sitk.Transform, centre: FloatArray) -> sitk.Euler3DTransform:
    """A rigid transform of any class as one by angles about a centre, mm."""
    matrix, offset = matrix_and_offset(transform, "rigid")
    rigid = sitk.Euler3DTransform()
    rigid.SetCenter(centre.tolist())
    rigid.SetMatrix(matrix.ravel().tolist(), 1e-6)
    rigid.SetTranslation((matrix @ centre + offset - centre).tolist())
    return rigid


def generator(case: Case, seed: int, *numbers: int) -> np.random.Generator:
    """Random numbers of a case, the same in every process and in both roles."""
    return seeded(case.name, seed, *numbers)


@functools.lru_cache(maxsize=1)
def load(case: Case, seed: int, pose: int) -> Pair:
    """The case with its moving image on the grid that belongs to a number of a pose."""
    return _scene(replace(case, swapped=False), seed).pair(case.swapped, generator(case, seed, pose))


@functools.lru_cache(maxsize=1)
def _scene(case: Case, seed: int) -> Scene:
    one, one_mask = _one_side(case, seed)
    other = sitk.ReadImage(str(case.moving), sitk.sitkFloat32)
    other_mask = None if case.moving_mask is None else sitk.ReadImage(str(case.moving_mask), sitk.sitkUInt8)
    if case.fixed_points:
        points, targets = np.asarray(case.fixed_points), np.asarray(case.moving_points)
        truth = _best_rigid(points, targets)
    else:
        points = sample_points(one)
        if one_mask is not None:
            points = points_inside(one_mask, points)
        targets, truth = points, sitk.Euler3DTransform()
    return Scene(one, other, one_mask, other_mask, points, targets, truth, case.sector)


def _one_side(case: Case, seed: int) -> tuple[sitk.Image, sitk.Image | None]:
    image = sitk.ReadImage(str(case.fixed), sitk.sitkFloat32)
    if case.simulated:
        image = simulate(image, "ct" if sitk.GetArrayFromImage(image).min() < AIR else "mr", generator(case, seed))
    if case.fixed_mask is not None:
        return image, sitk.ReadImage(str(case.fixed_mask), sitk.sitkUInt8)
    return image, _sector(image) if case.sector else None


def _sector(ultrasound: sitk.Image) -> sitk.Image:
    """Where an ultrasound volume is not black: its field of view, small black parts filled."""
    return sitk.BinaryMorphologicalClosing(sitk.Cast(ultrasound > 0, sitk.sitkUInt8), [3] * 3)


def _best_rigid(points: FloatArray, targets: FloatArray) -> sitk.Euler3DTransform:
    """Least squares, from points to targets."""
    fitted = sitk.LandmarkBasedTransformInitializer(
        sitk.VersorRigid3DTransform(), points.ravel().tolist(), targets.ravel().tolist()
    )
    return rigid_about(fitted, points.mean(axis=0))
