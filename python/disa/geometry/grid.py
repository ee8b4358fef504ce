# SPDX-License-Identifier: Apache-2.0
"""The one type of a voxel grid."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume
from disa.geometry.pixels import pixels_of

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of an image, the cells of a feature volume or the nodes of a field lie; (x, y, z) order, mm.

    Attributes:
        size: voxels along each axis.
        origin: centre of the first voxel, shape (3,).
        spacing: from one voxel to the next along each axis, shape (3,).
        direction: axes as columns, shape (3, 3), orthonormal.
    """

    size: tuple[int, int, int]
    origin: FloatArray
    spacing: FloatArray
    direction: FloatArray

    @classmethod
    def isotropic(
        cls, size: npt.ArrayLike, origin: FloatArray, spacing: float, direction: FloatArray | None = None
    ) -> Grid:
        """A grid of one spacing, on the world's axes unless told otherwise."""
        x, y, z = (int(n) for n in np.asarray(size))
        return cls((x, y, z), origin, np.full(3, spacing), np.eye(3) if direction is None else direction)

    @classmethod
    def of(cls, holder: sitk.Image | FeatureVolume) -> Grid:
        """Of a 3-D image's voxels or a feature volume's cells."""
        if isinstance(holder, FeatureVolume):
            size = holder.weights.shape[::-1]
            return cls.of_frame(size, holder.origin, holder.spacing, holder.direction)
        return cls.of_frame(holder.GetSize(), holder.GetOrigin(), holder.GetSpacing(), holder.GetDirection())

    @classmethod
    def of_frame(
        cls, size: Sequence[int], origin: Sequence[float], spacing: Sequence[float], direction: Sequence[float]
    ) -> Grid:
        """From numbers as SimpleITK gives them."""
        x, y, z = (int(n) for n in size)
        return cls((x, y, z), np.asarray(origin), np.asarray(spacing), np.asarray(direction).reshape(3, 3))

    @property
    def step(self) -> float:
        """Spacing along the first axis, mm; of an isotropic grid along every one."""
        return float(self.spacing[0])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an array over it, (z, y, x)."""
        x, y, z = self.size
        return z, y, x

    @property
    def corners(self) -> FloatArray:
        """Of the box that its voxels fill, half a voxel beyond their centres, shape (8, 3), mm."""
        return self.points(list(itertools.product(*[(-0.5, n - 0.5) for n in self.size])))

    def points(self, index: npt.ArrayLike) -> FloatArray:
        """Where continuous indices (n, 3) lie, shape (n, 3), mm."""
        return self.origin + (np.asarray(index, float) * self.spacing) @ self.direction.T

    def indices(self, points: FloatArray) -> FloatArray:
        """Continuous indices of points, both of shape (n, 3); points in mm."""
        index: FloatArray = (points - self.origin) @ self.direction / self.spacing
        return index

    @property
    def frame(self) -> dict[str, npt.NDArray[np.float64]]:
        """Its place as the arguments that `FeatureVolume` takes."""
        return {"origin": self.origin, "spacing": self.spacing, "direction": self.direction.ravel()}

    def padded(self, voxels: int) -> Grid:
        """So many voxels larger on every side."""
        x, y, z = (n + 2 * voxels for n in self.size)
        return Grid((x, y, z), self.origin - self.direction @ (voxels * self.spacing), self.spacing, self.direction)

    @property
    def between(self) -> Grid:
        """The middles of the cells whose corners are these, of two or more along each axis."""
        x, y, z = (n - 1 for n in self.size)
        return Grid((x, y, z), self.origin + self.direction @ (0.5 * self.spacing), self.spacing, self.direction)

    def every(self, stride: int) -> Grid:
        """Of every stride-th voxel along each axis, from the first."""
        x, y, z = ((n - 1) // stride + 1 for n in self.size)
        return Grid((x, y, z), self.origin, stride * self.spacing, self.direction)

    def place(self, image: sitk.Image) -> sitk.Image:
        """An image that was made of an array over this grid, put where it lies."""
        image.SetOrigin(self.origin.tolist())
        image.SetSpacing(self.spacing.tolist())
        image.SetDirection(self.direction.ravel().tolist())
        return image

    def image_of(self, values: npt.NDArray[np.generic], is_vector: bool = False) -> sitk.Image:
        """An image of values over this grid, shape (z, y, x) or, of vectors, (z, y, x, components)."""
        return self.place(sitk.GetImageFromArray(values, isVector=is_vector))

    def linear(
        self,
        image: sitk.Image,
        transform: sitk.Transform | None = None,
        *,
        is_continued: bool = False,
        beyond: float = 0.0,
    ) -> sitk.Image:
        """An image under a transform, float32, linear between its voxels.

        Args:
            image: of one number a voxel, or of vectors, whose type is kept.
            transform: from this grid's points to the image's; None: they share their space.
            is_continued: beyond the image lies its nearest voxel.
            beyond: what lies there if not.
        """
        scalar = image.GetNumberOfComponentsPerPixel() == 1
        kind = sitk.sitkFloat32 if scalar else image.GetPixelID()
        return sitk.Resample(image, *self._asked(transform, sitk.sitkLinear), beyond, kind, is_continued)

    def nearest(self, mask: sitk.Image, transform: sitk.Transform | None = None) -> npt.NDArray[np.bool_]:
        """Where a mask that a transform shows is not 0, by its nearest voxel, shape (z, y, x); False beyond it."""
        seen = sitk.Resample(mask, *self._asked(transform, sitk.sitkNearestNeighbor), 0.0)
        inside: npt.NDArray[np.bool_] = pixels_of(seen) != 0
        return inside

    def _asked(self, transform: sitk.Transform | None, interpolator: int) -> tuple[object, ...]:
        """What `sitk.Resample` takes after the image."""
        return (
            self.size,
            sitk.Transform() if transform is None else transform,
            interpolator,
            self.origin.tolist(),
            self.spacing.tolist(),
            self.direction.ravel().tolist(),
        )
