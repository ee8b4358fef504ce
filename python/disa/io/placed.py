# SPDX-License-Identifier: Apache-2.0
"""Voxels put where their file has them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import ImageError, ImageWarning
from disa.geometry.grid import Grid
from disa.geometry.shear import is_sheared, shear_angle, upright_grid, upright_image

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Voxels:
    """A 3-D image, and where its file says that the voxels lie.

    Attributes:
        image: the voxels; its own place does not count.
        origin: centre of the first voxel, shape (3,), mm (LPS).
        steps: from one voxel to the next along each axis, as columns of shape (3, 3), mm.
        is_tilted: whether axes that are not at right angles are those of a tilted gantry.
        is_placed: whether the image lies there already.
    """

    image: sitk.Image
    origin: FloatArray
    steps: FloatArray
    is_tilted: bool = False
    is_placed: bool = False

    @classmethod
    def of(cls, image: sitk.Image) -> Voxels:
        """Of an image that lies where its file has it."""
        grid = Grid.of(image)
        return cls(image, grid.origin, grid.direction * grid.spacing, is_placed=True)

    @property
    def is_sheared(self) -> bool:
        """Whether the place is one, and no grid at right angles has each voxel to a tenth of one."""
        is_place = np.isfinite(self.steps).all() and np.linalg.norm(self.steps, axis=0).all()
        return bool(is_place) and is_sheared(self.steps, self.image.GetSize())

    def placed(self) -> sitk.Image:
        """The image where it lies, of axes at right angles."""
        if self.is_placed:
            return self.image
        spacing = np.linalg.norm(self.steps, axis=0)
        axes = self.steps / spacing
        if not np.allclose(axes.T @ axes, np.eye(3), rtol=0, atol=1e-9):
            left, _, right = np.linalg.svd(axes)
            axes = left @ right
        self.image.SetOrigin(self.origin.tolist())
        self.image.SetSpacing(spacing.tolist())
        self.image.SetDirection(axes.ravel().tolist())
        return self.image

    def upright(self, name: str, labels: bool) -> sitk.Image:
        """The image resampled onto a grid at right angles, with a warning that says so.

        Args:
            name: what messages call it.
            labels: nearest neighbour; otherwise linear.

        Raises:
            ImageError: the axes are so oblique that no scanner made them.
        """
        grid = upright_grid(self.origin, self.steps, self.image.GetSize())
        if grid is None:
            raise ImageError(f"{self.described(name)} leave no volume; correct its header")
        warnings.warn(
            f"{self.described(name)}; resampled onto some that are; measure intensities in the original",
            ImageWarning,
            stacklevel=2,
        )
        return upright_image(self.image, self.origin, self.steps, grid, labels)

    def described(self, name: str) -> str:
        """The beginning of a message about axes that are not at right angles."""
        what = "tilted gantry" if self.is_tilted else "sheared"
        return f"{name}: {what}: axes {shear_angle(self.steps):.1f} degrees from right angles"
