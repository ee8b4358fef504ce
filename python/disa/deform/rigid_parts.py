# SPDX-License-Identifier: Apache-2.0
"""Parts of an image that stay rigid under a field, as bones do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.deform.landmarks import Landmarks
from disa.deform.schedule import DeformSchedule
from disa.geometry.grid import Grid

FloatArray = npt.NDArray[np.float64]

FINE = 4
"""Places at which labels are read, by nodes along each axis."""


@dataclass(frozen=True)
class RigidParts:
    """Labels, and the linear transform that comes after the field.

    Attributes:
        labels: each but 0 is a part.
        of_moving: whether they lie in the moving image's space.
        matrix, offset: of the initial transform, shape (3, 3) and (3,), mm.
    """

    labels: sitk.Image
    of_moving: bool
    matrix: FloatArray
    offset: FloatArray

    def held(
        self,
        displacements: FloatArray,
        nodes: Grid,
        transform: sitk.Transform,
        landmarks: Landmarks | None,
        schedule: DeformSchedule,
    ) -> FloatArray:
        """The field with each part moved by the rigid motion that is nearest to what the field makes of it.

        All nodes about a part get that motion, so the transform is rigid within it to the last digits. Around it the
        motion blends into the field. Landmarks in a part have a say in its motion.

        Args:
            displacements: mm along the nodes' axes, shape (z, y, x, 3).
            nodes: where they stand.
            transform: from fixed to moving points, as found so far; labels of the moving image are seen through it.
            landmarks: soft constraints, if there are any.
            schedule: how far motions reach, and how far the images are trusted.
        """
        seen = self._seen(nodes, transform)
        x, y, z = nodes.size
        places = nodes.points(np.indices((z, y, x)).reshape(3, -1)[::-1].T)
        moved = places + displacements.reshape(-1, 3) @ nodes.direction.T
        back = np.linalg.inv(self.matrix)
        distances, motions = [], []
        for label in np.unique(seen[seen != 0]):
            counts = _cells_about(seen == label)
            weights = counts.ravel() / counts.sum() / schedule.part_deviation**2
            kept = weights > 0
            sources, targets, weights = places[kept], moved[kept], weights[kept]
            if landmarks is not None:
                within = landmarks_within(landmarks.points, counts > 0, nodes)
                sources = np.concatenate([sources, landmarks.points[within]])
                targets = np.concatenate([targets, landmarks.targets[within]])
                weights = np.concatenate([weights, np.full(within.sum(), landmarks.tolerance**-2.0)])
            rotation, shift = rigid_fit(sources, targets @ self.matrix.T + self.offset, weights)
            motion = (places @ rotation.T + shift - self.offset) @ back.T - places
            motions.append((motion @ nodes.direction).reshape(displacements.shape))
            distances.append(_distance_from(counts > 0, nodes.step))
        return _blended(displacements, motions, distances, schedule.part_reach)

    def _seen(self, nodes: Grid, transform: sitk.Transform) -> npt.NDArray[np.generic]:
        """Labels at FINE times as many places, shape (FINE (z - 1) + 1, ...)."""
        x, y, z = ((n - 1) * FINE + 1 for n in nodes.size)
        fine = Grid((x, y, z), nodes.origin, nodes.spacing / FINE, nodes.direction)
        labels = sitk.Resample(
            self.labels,
            fine.size,
            transform if self.of_moving else sitk.Transform(),
            sitk.sitkNearestNeighbor,
            fine.origin.tolist(),
            fine.spacing.tolist(),
            fine.direction.ravel().tolist(),
            0.0,
        )
        array: npt.NDArray[np.generic] = sitk.GetArrayFromImage(labels)
        return array


def landmarks_within(points: FloatArray, about: npt.NDArray[np.bool_], nodes: Grid) -> npt.NDArray[np.bool_]:
    """Which points, shape (n, 3), lie in a cell whose eight nodes are all among some, shape (z, y, x)."""
    low = np.floor(nodes.indices(points)).astype(int)
    inside: npt.NDArray[np.bool_] = np.asarray(np.all((low >= 0) & (low + 1 < np.asarray(nodes.size)), axis=1))
    for corner in np.ndindex(2, 2, 2):
        x, y, z = np.where(inside[:, None], low + corner, 0).T
        inside = inside & about[z, y, x]
    return inside


def rigid_fit(sources: FloatArray, targets: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rotation R, (3, 3), and shift t, (3,), that make the weighted sum of |R source + t - target|^2 least.

    Source: Kabsch, Acta Crystallographica A32, 1976.
    """
    shares = weights / weights.sum()
    centre, goal = shares @ sources, shares @ targets
    covariance = (targets - goal).T @ ((sources - centre) * shares[:, None])
    left, _, right = np.linalg.svd(covariance)
    rotation = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    return rotation, goal - rotation @ centre


def _cells_about(fine: npt.NDArray[np.bool_]) -> FloatArray:
    """How many fine places that are set lie in the cells about each node; not 0 at all nodes of a cell that has one."""
    counts = fine.astype(float)
    for axis in range(3):
        padded = np.pad(counts, [(FINE * (axis == a),) * 2 for a in range(3)])
        first = np.arange(0, fine.shape[axis], FINE)
        counts = np.sum([np.take(padded, first + k, axis) for k in range(2 * FINE + 1)], axis=0)
    return counts


def _distance_from(about: npt.NDArray[np.bool_], step: float) -> FloatArray:
    """mm from each node to the nearest of some."""
    image = sitk.GetImageFromArray(about.astype(np.uint8))
    apart = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=False)
    distance: FloatArray = step * np.where(about, 0.0, sitk.GetArrayFromImage(apart).clip(min=0.0))
    return distance


def _blended(field: FloatArray, motions: list[FloatArray], distances: list[FloatArray], reach: float) -> FloatArray:
    """Motions where their distance is 0, the field from the reach on, and between them a smooth step."""
    if not motions:
        return field
    apart = np.stack(distances)
    nearness = 1.0 / np.maximum(apart, 1e-9)
    shares = nearness / nearness.sum(axis=0)
    motion = np.einsum("pzyx,pzyxi->zyxi", shares, np.stack(motions))
    along = np.clip(1.0 - apart.min(axis=0) / reach, 0.0, 1.0)
    strength = (along * along * (3.0 - 2.0 * along))[..., None]
    blended: FloatArray = field + strength * (motion - field)
    return blended
