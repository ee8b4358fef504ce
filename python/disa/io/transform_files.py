# SPDX-License-Identifier: Apache-2.0
"""Reading transforms that ITK, SimpleITK, 3D Slicer or ANTs wrote."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import SimpleITK as sitk

from disa.errors import DISAError, ImageError, RegistrationError
from disa.io.images import IMAGE_ENDINGS
from disa.io.paths import is_folder
from disa.io.quiet import ITK_ERRORS, silent
from disa.io.reading import read_image
from disa.io.transform_texts import has_its_numbers

TEXT_ENDINGS = (".tfm", ".txt")


def read_transform(path: Path) -> sitk.Transform:
    """A 3-D transform from a transform file, or from an image of displacements.

    Args:
        path: .tfm, .txt, .h5 or .mat of ITK's, or an image with three components a voxel, displacements in mm (LPS).

    Raises:
        RegistrationError: it is missing, unreadable or not 3-D.
    """
    try:
        is_folder(path)
    except ImageError as error:
        raise RegistrationError(f"{error}; expected a transform") from None
    if path.name.lower().endswith(IMAGE_ENDINGS):
        return _read_field(path)
    unreadable = RegistrationError(
        f"{path}: not readable as a transform; expected .tfm, .txt, .h5 or .mat as ITK writes them, or an image of "
        "displacements"
    )
    is_text = path.suffix.lower() in TEXT_ENDINGS
    if is_text and not has_its_numbers(path):
        raise unreadable
    try:
        with nullcontext() if is_text else silent():
            transform: sitk.Transform = sitk.ReadTransform(str(path))
    except ITK_ERRORS:
        raise unreadable from None
    if transform.GetDimension() != 3:
        raise RegistrationError(f"{path}: expected a 3-D transform, got a {transform.GetDimension()}-D one")
    return transform


def _read_field(path: Path) -> sitk.Transform:
    try:
        field = read_image(path)
    except DISAError as error:
        raise RegistrationError(str(error)) from None
    if field.GetDimension() != 3 or field.GetNumberOfComponentsPerPixel() != 3:
        raise RegistrationError(f"{path}: an image, but not of displacements; expected 3-D with three numbers a voxel")
    displacement: sitk.Transform = sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))
    return displacement
