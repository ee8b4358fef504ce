# SPDX-License-Identifier: Apache-2.0
"""Poses with a known error, and images turned onto grids of their own (no two images may share a voxel grid)."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk


def centre_of(image: sitk.Image) -> np.ndarray:
    """Physical centre, mm."""
    middle = (np.asarray(image.GetSize()) - 1) / 2
    return np.asarray(image.TransformContinuousIndexToPhysicalPoint(middle.tolist()))


def sample_points(image: sitk.Image, step: float = 10.0) -> np.ndarray:
    """Physical points every `step` mm inside the image, shape (n, 3)."""
    size = np.asarray(image.GetSize()) * np.asarray(image.GetSpacing())
    axes = [np.arange(-s / 2 + step / 2, s / 2, step) for s in size]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    direction = np.asarray(image.GetDirection()).reshape(3, 3)
    return centre_of(image) + grid @ direction.T


def mean_error(transform: sitk.Euler3DTransform, points: np.ndarray) -> float:
    """Mean distance in mm between where the transform takes the points and where they are, the truth."""
    matrix = np.asarray(transform.GetMatrix()).reshape(3, 3)
    centre = np.asarray(transform.GetCenter())
    moved = (points - centre) @ matrix.T + centre + np.asarray(transform.GetTranslation())
    return float(np.linalg.norm(moved - points, axis=1).mean())


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
    points = sample_points(image) if points is None else points
    wanted = rng.uniform(*error)
    angles = np.deg2rad(rng.uniform(-degrees, degrees, 3))
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    pose = sitk.Euler3DTransform(centre_of(image).tolist(), *angles.tolist())
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
    low = float(sitk.GetArrayViewFromImage(image).min())
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
