# SPDX-License-Identifier: Apache-2.0
"""Reading image files; what ITK lets pass and would give a wrong image is refused."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from disa.errors import ImageError
from disa.geometry.grid import Grid
from disa.io.dicom.reading import read_file, read_folder
from disa.io.dicom.series import header_of
from disa.io.gate import check_place
from disa.io.length_units import check_units
from disa.io.meta_headers import ENDINGS, check_meta_header
from disa.io.nifti.reading import is_nifti, read_nifti
from disa.io.paths import is_folder, shown
from disa.io.placed import Voxels
from disa.io.quiet import ITK_ERRORS, no_warnings, same_locale
from disa.threads import check_threads_start

_READ_HERE = ("NiftiImageIO", "GDCMImageIO")
"""Formats of which ITK reads files that have no proper header, and then does not say where voxels lie."""


@dataclass(frozen=True)
class ImageFile(os.PathLike[str]):
    """An image file, or a folder with DICOM files, and how it is read; taken wherever a path of an image is.

    Attributes:
        path: of the file or folder.
        series: UID or number of the series, where a folder holds several.
        resample_sheared: resample an image whose axes are not at right angles, as those of a CT with a tilted gantry,
            onto some that are; False: refuse it.
    """

    path: str | os.PathLike[str]
    series: str | None = None
    resample_sheared: bool = False

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __str__(self) -> str:
        return os.fspath(self.path)


def read_image(file: str | os.PathLike[str], *, labels: bool = False) -> sitk.Image:
    """An image file, or a folder with a DICOM series, as SimpleITK has it.

    Every voxel lies within a tenth of its spacing of where the file has it. An image that was resampled for that, and a
    NIfTI file that gives two places, come with a `disa.ImageWarning`.

    Args:
        file: path of a file or of a folder with DICOM files, or a `disa.ImageFile`, which says how to read it.
        labels: it is a label map or mask, so that resampling takes the nearest voxel.

    Returns:
        Of the file's pixel type.

    Raises:
        ImageError: it is missing, cannot be read, ends early, lacks slices or is no single volume.
    """
    check_threads_start()
    file = file if isinstance(file, ImageFile) else ImageFile(file)
    path = Path(file)
    try:
        found = read_folder(path, file.series) if is_folder(path) else _read_file(path, file.series)
    except OSError as error:
        raise ImageError(f"{shown(path)}: cannot be read: {error.strerror}; give what you may read") from None
    if isinstance(found, sitk.Image):
        if found.GetDimension() != 3:
            return found
        found = Voxels.of(found)
    if not found.is_sheared:
        image = found.placed()
    elif file.resample_sheared:
        image = found.upright(str(path), labels)
    else:
        raise ImageError(
            f"{found.described(str(path))}; have it resampled, by --resample-sheared (resample_sheared=True of "
            "disa.ImageFile)"
        )
    check_place(Grid.of(image), str(path))
    return image


def _read_file(path: Path, series: str | None) -> sitk.Image | Voxels:
    if series is not None:
        raise ImageError(f"{path}: a series is chosen in a folder; give the folder, or no series")
    image = read_nifti(path) if is_nifti(path) else None
    if image is not None:
        return image
    header = header_of(path)
    return _read_other(path) if header is None else read_file(path, header)


def _read_other(path: Path) -> sitk.Image:
    """By ITK alone, of the formats that have no reader here."""
    if path.name.lower().endswith(ENDINGS):
        check_meta_header(path)
    check_units(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    with no_warnings(), same_locale():
        try:
            if reader.GetImageIOFromFileName(str(path)) not in _READ_HERE:
                image: sitk.Image = reader.Execute()
                return image
        except ITK_ERRORS:
            pass
    raise ImageError(f"{path}: not readable as an image; expected NIfTI, NRRD, MetaImage or another format of ITK's")
