# SPDX-License-Identifier: Apache-2.0
"""The volume of a DICOM series: its voxels, and every slice where its header has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from disa.errors import ImageError
from disa.geometry.pixels import pixels_of
from disa.io.dicom.elements import Header
from disa.io.dicom.series import chosen, series_of
from disa.io.dicom.slices import slices_of
from disa.io.dicom.stack import Stack, stack_of
from disa.io.placed import Voxels
from disa.io.quiet import ITK_ERRORS, no_warnings

_SYNTAX = "1.2.840.10008.1.2"
DECODED = {
    "": "of no named kind",
    _SYNTAX: "uncompressed",
    f"{_SYNTAX}.1": "uncompressed",
    f"{_SYNTAX}.1.99": "deflated",
    f"{_SYNTAX}.2": "uncompressed",
    f"{_SYNTAX}.4.50": "JPEG",
    f"{_SYNTAX}.4.51": "JPEG",
    f"{_SYNTAX}.4.57": "lossless JPEG",
    f"{_SYNTAX}.4.70": "lossless JPEG",
    f"{_SYNTAX}.4.80": "JPEG-LS",
    f"{_SYNTAX}.4.81": "JPEG-LS",
    f"{_SYNTAX}.4.90": "JPEG 2000",
    f"{_SYNTAX}.4.91": "JPEG 2000",
    f"{_SYNTAX}.5": "RLE",
}
"""Transfer syntaxes that ITK decodes; it may take the bytes of others for voxels."""
OTHERS = {
    **{f"{_SYNTAX}.4.{number}": "MPEG" for number in range(100, 109)},
    **{f"{_SYNTAX}.4.{number}": "JPEG XL" for number in range(110, 113)},
    **{f"{_SYNTAX}.4.{number}": "HTJ2K" for number in range(201, 206)},
}
"""What others are called."""


def read_folder(folder: Path, series: str | None) -> Voxels:
    """The volume of a folder's only series, or of that which is chosen by UID or number.

    Raises:
        ImageError: there is no such series, or it is not one volume of evenly spaced slices.
    """
    return _volume(chosen(series_of(folder), series, str(folder)).files, str(folder))


def read_file(path: Path, header: Header) -> Voxels:
    """The volume of one file, of several frames as enhanced DICOM has them. Raises ImageError as `read_folder`."""
    if not header.number("rows"):
        raise ImageError(f"{path}: a DICOM file without an image; give a folder with the slices of a series")
    return _volume([(path, header)], str(path))


def _volume(files: list[tuple[Path, Header]], name: str) -> Voxels:
    for path, header in files:
        if header.syntax not in DECODED:
            raise ImageError(
                f"{path}: its voxels are of the transfer syntax {OTHERS.get(header.syntax, header.syntax)}, which ITK "
                "does not decode; decompress it first"
            )
    slices = [one for path, header in files for one in slices_of(path, header)]
    if len(files) > 1 and len(slices) > len(files):
        raise ImageError(
            f"{name}: {len(files)} files of {len(slices)} frames in one series; give the file of one volume by its path"
        )
    stack = stack_of(slices, name)
    syntax = files[0][1].syntax
    image = _frames(stack, name) if len(files) == 1 else _files(stack)
    if image is None:
        raise _undecoded(stack, syntax)
    if image.GetSize() != (*slices[0].size, len(slices)):
        raise ImageError(f"{name}: the DICOM header has {len(slices)} slices, but the voxels are of {image.GetSize()}")
    return Voxels(image, stack.origin, stack.steps, is_tilted=True)


def _files(stack: Stack) -> sitk.Image | None:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(one.path) for one in stack.slices])
    if len({(one.rescale, one.stored) for one in stack.slices}) > 1:  # ITK would take the first slice's type for all
        reader.SetOutputPixelType(sitk.sitkFloat32)
    return _executed(reader)


def _frames(stack: Stack, name: str) -> sitk.Image | None:
    if len({one.rescale for one in stack.slices}) > 1:
        raise ImageError(f"{name}: each frame has a rescale of its own, which ITK does not apply; convert it to NIfTI")
    image = _executed(_reader_of(stack.slices[0].path))
    order = [one.frame for one in stack.slices]
    if image is None or image.GetDimension() != 3 or image.GetSize()[2] != len(order) or order == sorted(order):
        return image
    return _reordered(image, order)


def _reordered(image: sitk.Image, order: list[int]) -> sitk.Image:
    pixels = pixels_of(image)
    is_vector = image.GetNumberOfComponentsPerPixel() > 1
    return sitk.GetImageFromArray(np.ascontiguousarray(pixels[order]), isVector=is_vector)


def _undecoded(stack: Stack, syntax: str) -> ImageError:
    """What is said of the first file that ITK does not decode."""
    paths = [one.path for one in stack.slices]
    path = next((path for path in paths if _executed(_reader_of(path)) is None), paths[0])
    return ImageError(
        f"{path}: ends early, is damaged, or ITK does not decode its voxels ({DECODED[syntax]}); copy it again, or "
        "export it uncompressed"
    )


def _reader_of(path: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    return reader


def _executed(reader: sitk.ImageReaderBase) -> sitk.Image | None:
    """None where ITK does not decode the voxels."""
    with no_warnings():
        try:
            image: sitk.Image = reader.Execute()
        except ITK_ERRORS:
            return None
    return image
