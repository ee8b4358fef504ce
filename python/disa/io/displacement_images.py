# SPDX-License-Identifier: Apache-2.0
"""Images of displacements in mm (LPS), and what other tools write into such images."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import DISAError, RegistrationError
from disa.geometry.transform_numbers import LARGEST
from disa.io.nifti.content import CHUNK, header_of, is_gzip
from disa.io.nifti.reading import is_nifti, parts_of
from disa.io.numbers import shown
from disa.io.quiet import ITK_ERRORS, no_warnings
from disa.io.reading import read_image

LPS = np.array((-1.0, -1.0, 1.0))
"""Times RAS, which NiftyReg and SPM write."""

_NIFTYREG_POSITIONS, _NIFTYREG_DISPLACEMENTS = 0, 1
_FSL = range(2006, 2017)
"""Intent codes that FSL has made its own: warps, coefficients and susceptibility fields."""

_NIFTI_FLOATS = {16: "f4", 64: "f8"}

_LIKENESS = 0.25
"""Of slopes, greatest difference."""


def read_displacements(path: Path) -> sitk.Transform:
    """The transform of an image with three components a voxel.

    NiftyReg's positions and displacements and SPM's deformations (intent name Mapping) become displacements in LPS.

    Raises:
        RegistrationError: it is no such image, has numbers that are not finite, or holds positions in place of
            displacements, or coefficients or velocities.
    """
    meaning = _meaning(path)
    try:
        field = read_image(path)
    except DISAError as error:
        raise RegistrationError(str(error)) from None
    if field.GetDimension() != 3 or field.GetNumberOfComponentsPerPixel() != 3:
        raise RegistrationError(f"{path}: an image, but not of displacements; expected 3-D with three numbers a voxel")
    values = sitk.GetArrayFromImage(field).astype(np.float64)
    if not (np.abs(values) <= LARGEST).all() or _holds_more_than_is_read(path):
        raise RegistrationError(f"{path}: expected finite displacements in mm, found NaN, infinity or one beyond 1e9")
    positions = _positions(field)
    if meaning == "positions":
        values = values * LPS - positions
    elif meaning == "displacements":
        values = values * LPS
    if _are_like_positions(values, positions):
        raise RegistrationError(
            f"{path}: holds positions, it seems: they grow as the voxels' own; expected displacements; subtract these"
        )
    image = sitk.GetImageFromArray(values, isVector=True)
    image.CopyInformation(field)
    displacement: sitk.Transform = sitk.DisplacementFieldTransform(sitk.Cast(image, sitk.sitkVectorFloat64))
    return displacement


def _meaning(path: Path) -> str:
    """What NiftyReg or SPM put into a NIfTI file: positions or displacements in RAS; empty: nothing of theirs.

    Source: NiftyReg's _reg_maths.h (NREG_TRANS_TYPE); SPM's spm_create_vol and spm_deformations.
    """
    if not is_nifti(path):
        return ""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        with no_warnings():
            reader.ReadImageInformation()
        name, code, first = (reader.GetMetaData(key) for key in ("intent_name", "intent_code", "intent_p1"))
        code, first = int(code), float(first)
    except (*ITK_ERRORS, ValueError):
        return ""
    name = name.strip("\0 ")
    if code in _FSL:
        raise RegistrationError(
            f"{path}: a warp of FSL (intent {code}) in its own frame; convert it to displacements in mm (LPS)"
        )
    if name.startswith("NREG"):
        if name != "NREG_TRANS" or first not in (_NIFTYREG_POSITIONS, _NIFTYREG_DISPLACEMENTS):
            raise RegistrationError(
                f"{path}: a grid or velocities of NiftyReg ({shown(name)}, kind {first:g}); "
                "convert it by reg_transform -disp"
            )
        return "positions" if first == _NIFTYREG_POSITIONS else "displacements"
    return "positions" if name == "Mapping" else ""


def _holds_more_than_is_read(path: Path) -> bool:
    """Whether a NIfTI file holds NaN or infinity, which ITK reads as 0."""
    header = header_of(path) if is_nifti(path) and parts_of(path)[1] == path else None
    kind = None if header is None or header.version != 1 else _NIFTI_FLOATS.get(header.datatype)
    if header is None or kind is None:
        return False
    with gzip.open(path) if is_gzip(path) else path.open("rb") as file:
        file.read(header.offset)
        while content := file.read(CHUNK):
            whole = len(content) - len(content) % 8
            if not np.isfinite(np.frombuffer(content[:whole], f"{header.order}{kind}")).all():
                return True
    return False


def _positions(field: sitk.Image) -> npt.NDArray[np.float64]:
    """Of the voxels, shape (z, y, x, 3), mm (LPS)."""
    z, y, x = np.ogrid[tuple(slice(0, n) for n in field.GetSize()[::-1])]
    axes = np.asarray(field.GetDirection()).reshape(3, 3) * field.GetSpacing()
    places = [axes[row, 0] * x + axes[row, 1] * y + axes[row, 2] * z + field.GetOrigin()[row] for row in range(3)]
    return np.stack(np.broadcast_arrays(*places), axis=-1)


def _are_like_positions(values: npt.NDArray[np.float64], positions: npt.NDArray[np.float64]) -> bool:
    """Whether vectors grow with the voxels' positions as these do, in LPS or in RAS.

    A field of displacements that does so doubles the body, or turns it inside out.
    """
    if min(values.shape[:3]) < 2:
        return False
    step = max(int(np.cbrt(positions.size / 3e5)), 1)
    every = (slice(None, None, step),) * 3
    centred = positions[every].reshape(-1, 3) - positions[every].reshape(-1, 3).mean(0)
    if np.linalg.matrix_rank(centred) < 3:
        return False
    slopes = np.linalg.lstsq(centred, values[every].reshape(-1, 3), rcond=None)[0].T
    return any(np.abs(slopes - np.diag(signs)).max() < _LIKENESS for signs in (np.ones(3), LPS))
