# SPDX-License-Identifier: Apache-2.0
"""Reading transforms that ITK, SimpleITK, 3D Slicer, ANTs, elastix, FSL, greedy or NiftyReg wrote: the one way in.

What ITK would crash at, or take for something else, is refused before it has it: texts and matrices are checked to the
last number and handed on as they were understood, and HDF5 is read in another process first.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from disa.errors import RegistrationError
from disa.geometry.transform_numbers import check_numbers
from disa.io.displacement_images import read_displacements
from disa.io.elastix_texts import blocks_of_elastix, is_elastix
from disa.io.images import IMAGE_ENDINGS
from disa.io.kinds import check_file
from disa.io.matrix_texts import FloatArray, TakeMatrix, block_of_matrix, matrix_of_text
from disa.io.paths import check_utf8
from disa.io.quiet import ITK_ERRORS, silent
from disa.io.transform_blocks import Block, check_blocks
from disa.io.transform_matrices import blocks_of_matrices
from disa.io.transform_texts import block_of_minc, blocks_of_text, text_of

TEXT_ENDINGS = (".tfm", ".txt")
MATRIX_ENDING = ".mat"
MINC_ENDING = ".xfm"

_EXPECTED = "expected .tfm, .txt, .h5, .mat or .xfm as ITK writes them, a text of elastix, or an image of displacements"

_LEAST_RATIO = 1e-6
"""Of a matrix' least singular value to its greatest, below which it flattens space."""

_TRIAL = "import sys; sys.path[:] = sys.argv[2:]; import SimpleITK; SimpleITK.ReadTransform(sys.argv[1])"
_PATIENCE = 15.0
_BYTES_A_SECOND = 2e7


def read_transform(path: Path, take_matrix: TakeMatrix | None = None) -> sitk.Transform:
    """A 3-D transform from a transform file, or from an image of displacements.

    Args:
        path: .tfm, .txt, .h5, .mat or .xfm of ITK's, a parameter text of elastix, a text of 4 x 4 numbers, or an image
            with three components a voxel, displacements in mm (LPS); fields of NiftyReg and SPM are told by their
            headers.
        take_matrix: what a text of 4 x 4 numbers is, `of_greedy` or `of_flirt` of `disa.io.matrix_texts`; None: refuse
            it, for it does not say.

    Raises:
        RegistrationError: it is missing, unreadable, not 3-D, flattens space, or has numbers that are not finite.
    """
    check_utf8(path, RegistrationError)
    check_file(path, "expected a transform", RegistrationError)
    if path.name.lower().endswith(IMAGE_ENDINGS):
        return read_displacements(path)
    transform = _read(path, take_matrix)
    if transform.GetDimension() != 3:
        raise RegistrationError(f"{path}: expected a 3-D transform, got a {transform.GetDimension()}-D one")
    _check_parts(transform, path)
    return transform


def _read(path: Path, take_matrix: TakeMatrix | None) -> sitk.Transform:
    """What ITK makes of a file, once it is known that it can be given to it."""
    ending = path.suffix.lower()
    try:
        matrix = matrix_of_text(path)
        if matrix is not None:
            return _of_blocks([block_of_matrix(_taken(matrix, take_matrix))])
        if ending in TEXT_ENDINGS:
            return _of_blocks(blocks_of_elastix(path) if is_elastix(path) else blocks_of_text(path))
        if ending == MATRIX_ENDING:
            return _of_blocks(blocks_of_matrices(path))
        if ending == MINC_ENDING:
            return _of_blocks([block_of_minc(path)])
        return _of_hdf5(path)
    except OSError as error:
        raise RegistrationError(f"{error.filename or path}: cannot be read: {error.strerror}; {_EXPECTED}") from None
    except ITK_ERRORS:
        raise RegistrationError(f"{path}: not readable as a transform; {_EXPECTED}") from None
    except ValueError as error:
        raise RegistrationError(f"{path}: {str(error) or f'not readable as a transform; {_EXPECTED}'}") from None


def _taken(matrix: FloatArray, take_matrix: TakeMatrix | None) -> FloatArray:
    """From fixed to moving points in LPS. Raises ValueError where it is not known whose it is, or it flattens space."""
    if take_matrix is None:
        raise ValueError(
            "4 x 4 numbers, which do not say whose they are; make a transform of them by disa apply --matrix-of flirt, "
            "or greedy for greedy and C3D"
        )
    try:
        return take_matrix(matrix)
    except np.linalg.LinAlgError:
        raise ValueError("flattens space; expected a transform that can be inverted") from None


def _of_blocks(blocks: list[Block]) -> sitk.Transform:
    check_blocks(blocks)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "checked.tfm")
        copy.write_text(text_of(blocks), encoding="ascii")
        transform: sitk.Transform = sitk.ReadTransform(str(copy))
    return transform


def _of_hdf5(path: Path) -> sitk.Transform:
    """Read by another process first, for HDF5 crashes or goes round for ever in some damaged files."""
    command = [sys.executable, "-I", "-c", _TRIAL, str(path.absolute()), *sys.path]
    patience = _PATIENCE + path.stat().st_size / _BYTES_A_SECOND
    try:
        tried = subprocess.run(command, capture_output=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        raise ValueError(f"damaged, reading it does not end; {_EXPECTED}") from None
    if tried.returncode != 0:
        raise ValueError
    with silent():
        transform: sitk.Transform = sitk.ReadTransform(str(path))
    return transform


def _check_parts(transform: sitk.Transform, path: Path) -> None:
    """Raises RegistrationError unless each part is of finite numbers and, where it is linear, can be inverted."""
    if transform.GetTransformEnum() == sitk.sitkComposite:
        composite = sitk.CompositeTransform(transform)
        for index in range(composite.GetNumberOfTransforms()):
            _check_parts(composite.GetNthTransform(index), path)
        return
    check_numbers(transform, str(path))
    if transform.IsLinear():
        offset = np.asarray(transform.TransformPoint((0.0, 0.0, 0.0)))
        matrix = np.stack([np.asarray(transform.TransformPoint(p)) - offset for p in np.eye(3).tolist()], axis=1)
        values = np.linalg.svd(matrix, compute_uv=False)
        if not values[2] > _LEAST_RATIO * values[0]:
            raise RegistrationError(
                f"{path}: flattens space by its matrix {np.round(matrix, 9).tolist()}; "
                "expected a transform that can be inverted"
            )
