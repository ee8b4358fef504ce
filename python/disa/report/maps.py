# SPDX-License-Identifier: Apache-2.0
"""Files of a deformation that only some users want: its inverse, and maps on the fixed image's grid."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from disa.deform.result import DeformableResult
from disa.geometry.grid import Grid
from disa.io.writing import write_image, write_transform
from disa.report.record import DISAGREEMENT, INVERSE, JACOBIAN


def write_deformation(result: DeformableResult, fixed: sitk.Image, folder: Path, *, with_maps: bool) -> list[str]:
    """Write the inverse where there is one, and the maps if they are wanted.

    Args:
        result: of the deformation.
        fixed: image whose grid the maps get.
        folder: for the files.
        with_maps: whether to write the maps.

    Returns:
        Names of the files.

    Raises:
        OutputError: a file cannot be written.
    """
    written = []
    if result.inverse_transform is not None:
        write_transform(result.inverse_transform, folder / INVERSE)
        written.append(INVERSE)
    if with_maps:
        for image, name in ((result.jacobian_map, JACOBIAN), (result.disagreement_map, DISAGREEMENT)):
            write_image(Grid.of(fixed).linear(image, is_continued=True), folder / name)
            written.append(name)
    return written
