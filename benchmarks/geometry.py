# SPDX-License-Identifier: Apache-2.0
"""Poses with a known error, and images turned onto grids of their own (no two images may share a voxel grid)."""

from __future__ import annotations

import zlib

import numpy as np
import SimpleITK as sitk


def centre_of(image: sitk.Image) -> np.ndarray:
    """Physical centre, mm."""
    middle = (np.asarray(image.GetSize()) - 1) / 2
    return np.asarray(image.TransformContinuousIndexToPhysicalPoint(middle.tolist()))


def indices(image: sitk.Image, points: np.ndarray) -> np.ndarray:
    """Continuous indices (x, y, z) of physical points, shape (..., 3)."""
    direction = np.asarray(image.GetDirection()).reshape(3, 3)
    return (points - np.asarray(image.GetOrigin())) @ direction / np.asarray(image.GetSpacing())


def covers(image: sitk.Image, points: np.ndarray) -> np.ndarray:
    """Whether each of some physical points, shape (n, 3), lies within the image."""
    index = indices(image, points)
    return ((index >= 0) & (index <= np.asarray(image.GetSize()) - 1)).all(axis=1)


def sample_points(image: sitk.Image, step: float = 10.0) -> np.ndarray:
    """Physical points every `step` mm inside the image, shape (n, 3)."""
    size = np.asarray(image.GetSize()) * np.asarray(image.GetSpacing())
    axes = [np.arange(-s / 2 + step / 2, s / 2, step) for s in size]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    direction = np.asarray(image.GetDirection()).reshape(3, 3)
    return centre_of(image) + grid @ direction.T


def points_inside(mask: sitk.Image, points: np.ndarray) -> np.ndarray:
    """Those of physical points, shape (n, 3), that lie within the mask's grid and where it is not 0."""

    def is_inside(point: list[float]) -> bool:
        index = mask.TransformPhysicalPointToIndex(point)
        return all(0 <= i < n for i, n in zip(index, mask.GetSize(), strict=True)) and mask[index] != 0

    return points[[is_inside(point) for point in points.tolist()]]


def mean_error(transform: sitk.Euler3DTransform, points: np.ndarray) -> float:
    """Mean distance in mm between where the transform takes the points and where they are, the truth."""
    matrix = np.asarray(transform.GetMatrix()).reshape(3, 3)
    centre = np.asarray(transform.GetCenter())
    moved = (points - centre) @ matrix.T + centre + np.asarray(transform.GetTranslation())
    return float(np.linalg.norm(moved - points, axis=1).mean())


def mean_distance(transform: sitk.Transform, points: np.ndarray, targets: np.ndarray) -> float:
    """Mean distance in mm between where any transform takes points and their targets."""
    moved = np.asarray([transform.TransformPoint(point) for point in points.tolist()])
    return float(np.linalg.norm(moved - targets, axis=1).mean())


def seeded(name: str, seed: int, *numbers: int) -> np.random.Generator:
    """Random numbers that belong to a name, the same in every process."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), *numbers])


def random_pose(
    image: sitk.Image,
    rng: np.random.Generator,
    error: tuple[float, float],
    degrees: float = 25.0,
    points: np.ndarray | None = None,
) -> sitk.Euler3DTransform:
    """A rigid pose about the image's centre whose mean error lies in a range.

    A rotation is drawn, halved until it alone errs by less than the error drawn, and a translation in a random
    direction makes up the rest.

    Args:
        image: the fixed image.
        rng: source of the pose.
        error: least and greatest mean error, mm.
        degrees: greatest rotation about each axis.
        points: where it errs, shape (n, 3), mm; None: all over the image.
    """
    return random_pose_about(centre_of(image), sample_points(image) if points is None else points, rng, error, degrees)


def random_pose_about(
    centre: np.ndarray, points: np.ndarray, rng: np.random.Generator, error: tuple[float, float], degrees: float = 25.0
) -> sitk.Euler3DTransform:
    """`random_pose` about a centre, mm."""
    wanted = rng.uniform(*error)
    angles = np.deg2rad(rng.uniform(-degrees, degrees, 3))
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    pose = sitk.Euler3DTransform(centre.tolist(), *angles.tolist())
    while mean_error(pose, points) > wanted:
        angles /= 2
        pose.SetRotation(*angles.tolist())
    low, high = 0.0, 2 * error[1] + 50.0
    for _ in range(40):
        middle = (low + high) / 2
        pose.SetTranslation((middle * direction).tolist())
        low, high = (middle, high) if mean_error(pose, points) < wanted else (low, middle)
    return pose


def turned(image: sitk.Image, rng: np.random.Generator, degrees: float = 15.0) -> sitk.Image:
    """The same content in world space, on a grid turned by up to `degrees` an axis and shifted by up to 4 voxels.

    A shift by parts of one voxel only would leave the grids' centres together, where a lock of the two grids looks
    like accuracy.
    """
    own = np.asarray(image.GetDirection()).reshape(3, 3)
    spacing = np.asarray(image.GetSpacing())
    turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), *np.deg2rad(rng.uniform(-degrees, degrees, 3)).tolist())
    direction = np.asarray(turn.GetMatrix()).reshape(3, 3) @ own
    covered = np.abs(direction.T @ own) @ (np.asarray(image.GetSize()) * spacing)
    size = np.ceil(covered / spacing).astype(int)
    shift = rng.uniform(-4.0, 4.0, 3)
    origin = centre_of(image) - direction @ (((size - 1) / 2 + shift) * spacing)
    low = float(sitk.GetArrayFromImage(image).min())
    return sitk.Resample(
        sitk.Cast(image, sitk.sitkFloat32),
        size.tolist(),
        sitk.Transform(),
        sitk.sitkBSpline,
        origin.tolist(),
        spacing.tolist(),
        direction.ravel().tolist(),
        low,
    )
