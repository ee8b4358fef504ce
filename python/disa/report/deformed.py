# SPDX-License-Identifier: Apache-2.0
"""What a deformation does, as pictures: displacements, the Jacobian determinant, where its directions disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.geometry.grid import Grid
from disa.report.display import patient_grid

ByteArray = npt.NDArray[np.uint8]

NODES = 40_000
"""Of the grid that displacements are shown on."""
OCTAVES = 2.0
"""Determinants from 1/4 to 4 are told apart."""
MOST_DISAGREEMENT = 10.0
"""mm; more is shown as this."""


@dataclass(frozen=True)
class Deformation:
    """A displacement field on a coarse grid along the patient's axes.

    Attributes:
        grid: of the nodes.
        displacements: components x, y, z (LPS) below one another, shape (3 z, y, x); byte 128 is 0 mm.
        largest: mm that byte 255 stands for.
        determinants: shape (z, y, x); byte 0 is a fold, 128 is 1, 255 is 4, by their logarithm.
        disagreements: shape (z, y, x); byte 255 is 10 mm or more; None: they are not known.
    """

    grid: Grid
    displacements: ByteArray
    largest: float
    determinants: ByteArray
    disagreements: ByteArray | None


def deformation_of(
    field: sitk.DisplacementFieldTransform, fixed: sitk.Image, disagreement: sitk.Image | None = None
) -> Deformation:
    """The field over the fixed image's box, x -> x + u(x), and by how many mm its two directions disagree there."""
    grid = patient_grid(Grid.of(fixed), NODES)
    vectors = grid.linear(field.GetDisplacementField(), is_continued=True)
    moved = np.moveaxis(sitk.GetArrayFromImage(vectors), -1, 0)
    largest = max(float(np.abs(moved).max()), 1e-6)
    coded = np.rint(128 + 127 * moved / largest).astype(np.uint8)
    # ITK differentiates along an image's own axes; those of this grid are the vectors' axes.
    determinants = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(vectors))
    octaves = np.log2(np.maximum(determinants, 2.0**-OCTAVES)) / OCTAVES
    bytes_ = np.where(determinants <= 0, 0, np.clip(np.rint(128 + 127 * octaves), 1, 255)).astype(np.uint8)
    apart = None if disagreement is None else _disagreements(disagreement, grid)
    return Deformation(grid, coded.reshape(-1, *coded.shape[2:]), largest, bytes_, apart)


def _disagreements(disagreement: sitk.Image, grid: Grid) -> ByteArray:
    mm = sitk.GetArrayFromImage(grid.linear(disagreement, is_continued=True))
    return np.clip(np.rint(255 * mm / MOST_DISAGREEMENT), 0, 255).astype(np.uint8)
