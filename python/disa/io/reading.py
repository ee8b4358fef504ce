# SPDX-License-Identifier: Apache-2.0
"""Reading image files; what ITK lets pass and would give a wrong image is refused."""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from disa.errors import ImageError

SLICE_POSITION = "0020|0032"
#: Largest distance in mm of a DICOM slice from where even spacing has it.
MAX_DEVIATION_MM = 0.5
CHUNK = 2**24

ITK_ERRORS = (RuntimeError, UnicodeDecodeError)
"""What SimpleITK raises; the second where its message quotes a damaged file."""

NIFTI_ENDINGS = (".nii", ".nii.gz")


def read_image(path: Path) -> sitk.Image:
    """An image file, or a folder with one DICOM series, as it is.

    Raises:
        ImageError: it is missing, cannot be read, ends early or lacks slices.
    """
    if path.is_dir():
        return _read_series(path)
    if not path.exists():
        raise ImageError(f"{path}: no such file")
    if path.name.lower().endswith(NIFTI_ENDINGS):
        check_nifti(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    return _read(
        reader, f"{path}: not readable as an image; expected NIfTI, NRRD, MetaImage or another format of ITK's"
    )


def _read(reader: sitk.ImageReaderBase, message: str) -> sitk.Image:
    with _no_warnings():
        try:
            image: sitk.Image = reader.Execute()
        except ITK_ERRORS:
            raise ImageError(message) from None
    return image


@contextmanager
def _no_warnings() -> Iterator[None]:
    """ITK says nothing on the standard error stream."""
    warned = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(warned)


def _read_series(folder: Path) -> sitk.Image:
    with _no_warnings():
        series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not series:
        raise ImageError(f"{folder}: the folder holds no DICOM series; give an image file or a DICOM folder")
    if len(series) > 1:
        raise ImageError(f"{folder}: holds {len(series)} DICOM series; give each a folder of its own")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    reader.MetaDataDictionaryArrayUpdateOn()
    image = _read(reader, f"{folder}: not readable as a DICOM series; expected the slices of one volume")
    if _deviation(reader, image) > MAX_DEVIATION_MM:
        raise ImageError(f"{folder}: slices are missing or unevenly spaced; expected all slices of the series")
    return image


def _deviation(reader: sitk.ImageSeriesReader, image: sitk.Image) -> float:
    """Largest distance in mm of a slice from where even spacing has it."""
    count = len(reader.GetFileNames())
    if image.GetDimension() != 3 or not all(reader.HasMetaDataKey(index, SLICE_POSITION) for index in range(count)):
        return 0.0
    texts = [reader.GetMetaData(index, SLICE_POSITION).split("\\") for index in range(count)]
    normal = np.array(image.GetDirection()).reshape(3, 3)[:, 2]
    along = np.array(texts, dtype=np.float64) @ normal
    return float(np.abs(along - np.linspace(along[0], along[-1], count)).max())


def check_nifti(path: Path) -> None:
    """Refuse a file that ends early, for ITK reads its missing voxels as whatever was in memory, and writes such files.

    Raises:
        ImageError: it ends early.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        needed = int(float(reader.GetMetaData("vox_offset")))
        needed += (
            int(np.prod(reader.GetSize(), dtype=np.int64))
            * reader.GetNumberOfComponents()
            * (int(reader.GetMetaData("bitpix")) // 8)
        )
    except ITK_ERRORS:
        return  # what the reader says of it is better
    found = _content_length(path, needed)
    if found < needed:
        raise ImageError(f"{path}: ends after {found} of {needed} bytes; copy or convert it again")


def _content_length(path: Path, needed: int) -> int:
    """Bytes in a file, uncompressed; `needed` where a gzip file's last field says so."""
    if path.suffix.lower() != ".gz":
        return path.stat().st_size
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        if int.from_bytes(file.read(), "little") == needed % 2**32:
            return needed
    found = 0
    try:
        with gzip.open(path) as file:
            while chunk := file.read(CHUNK):
                found += len(chunk)
    except (OSError, EOFError, zlib.error):
        pass  # it ends early
    return found
