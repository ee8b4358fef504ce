"""Reading volumes that others made: what ITK lets pass and training must not see is refused."""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from disa.errors import ImageError
from disa.images import check_image, load_image

SLICE_POSITION = "0020|0032"
#: Largest distance in mm of a DICOM slice from where even spacing has it.
MAX_DEVIATION_MM = 0.5
CHUNK = 2**24


def read_image(path: Path) -> sitk.Image:
    """A volume as float32.

    Args:
        path: image file, or folder with one DICOM series.

    Raises:
        ImageError: it cannot be read, ends early, lacks slices, or is no 3-D scalar image with structure.
    """
    if path.is_dir():
        return _read_series(path)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        _check_nifti(path)
    return load_image(path)


def _read_series(folder: Path) -> sitk.Image:
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if len(series) > 1:
        raise ImageError(f"{folder}: holds {len(series)} DICOM series; give each a folder of its own")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    reader.MetaDataDictionaryArrayUpdateOn()
    warned = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        image = reader.Execute()
    except RuntimeError:
        raise ImageError(f"{folder}: not readable as a DICOM series; expected the slices of one volume") from None
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(warned)
    if _deviation(reader, image) > MAX_DEVIATION_MM:
        raise ImageError(f"{folder}: slices are missing or unevenly spaced; expected all slices of the series")
    return check_image(image, str(folder))


def _deviation(reader: sitk.ImageSeriesReader, image: sitk.Image) -> float:
    """Largest distance in mm of a slice from where even spacing has it."""
    count = len(reader.GetFileNames())
    if image.GetDimension() != 3 or not all(reader.HasMetaDataKey(index, SLICE_POSITION) for index in range(count)):
        return 0.0
    texts = [reader.GetMetaData(index, SLICE_POSITION).split("\\") for index in range(count)]
    normal = np.array(image.GetDirection()).reshape(3, 3)[:, 2]
    along = np.array(texts, dtype=np.float64) @ normal
    return float(np.abs(along - np.linspace(along[0], along[-1], count)).max())


def _check_nifti(path: Path) -> None:
    """Refuse a file that ends early, for ITK reads its missing voxels as whatever was in memory."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        needed = float(reader.GetMetaData("vox_offset"))
        voxels = np.prod(np.array(reader.GetSize(), dtype=np.float64)) * reader.GetNumberOfComponents()
        needed += voxels * int(reader.GetMetaData("bitpix")) / 8
    except RuntimeError:
        return  # what `load_image` says of it is better
    found = 0
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            while chunk := file.read(CHUNK):
                found += len(chunk)
    except (OSError, EOFError, zlib.error):
        pass  # an end of the file, too
    if found < needed:
        raise ImageError(f"{path}: ends after {found} of {needed:.0f} bytes; copy or convert it again")
