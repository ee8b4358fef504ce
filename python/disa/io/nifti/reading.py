# SPDX-License-Identifier: Apache-2.0
"""A NIfTI file as an image whose voxels lie where the header has them."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import ImageError, ImageWarning
from disa.geometry.grid import Grid
from disa.geometry.shear import TOLERANCE, is_sheared
from disa.io.gate import MAXIMUM_VOXELS, check_place
from disa.io.nifti.content import header_of, is_gzip, lent
from disa.io.nifti.header import BITS, UNREADABLE, NiftiHeader
from disa.io.placed import Voxels
from disa.io.quiet import ITK_ERRORS, no_warnings

FloatArray = npt.NDArray[np.float64]
Place = tuple[FloatArray, FloatArray]

NIFTI_ENDINGS = (".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz")
_SCANNER = 1
"""The code of a form that says where the scanner had the image."""


def is_nifti(path: Path) -> bool:
    """Whether a file's name is that of NIfTI."""
    return path.name.lower().endswith(NIFTI_ENDINGS)


def read_nifti(path: Path) -> sitk.Image | Voxels | None:
    """The image of a file; `Voxels` where its axes are not at right angles; None where it has no NIfTI header.

    Raises:
        ImageError: it ends early, is damaged, or ITK would put its voxels elsewhere than its header does.
        OSError: it cannot be read.
    """
    head, voxels = parts_of(path)
    header = header_of(head)
    if header is None:
        return None
    _check(path, header)
    if path == voxels and path.name.lower().endswith((".nii", ".nii.gz")):
        _check_name(path)
    _check_forms(path, header)
    place = _sheared_place(header)
    with lent(head, header, voxels, placed=place is None) as link, no_warnings():
        reader = sitk.ImageFileReader()
        reader.SetImageIO("NiftiImageIO")
        reader.SetFileName(str(link))
        try:
            image: sitk.Image = reader.Execute()
        except ITK_ERRORS:
            raise ImageError(
                f"{path}: not readable as an image: ITK cannot make sense of its NIfTI header; convert it again"
            ) from None
    if place is not None:
        return Voxels(image, *place)
    if image.GetDimension() == 3:
        _check_place(image, header, path)
    return image


def parts_of(path: Path) -> tuple[Path, Path]:
    """The files with the header and with the voxels: one and the same, or those of a pair. Raises ImageError."""
    name = path.name
    for one, other in ((".hdr", ".img"), (".img", ".hdr"), (".HDR", ".IMG"), (".IMG", ".HDR")):
        for end in ("", ".gz"):
            if not name.endswith(one + end):
                continue
            stem = name.removesuffix(one + end)
            there = [path.with_name(stem + other + also) for also in (end, "", ".gz")]
            found = next((candidate for candidate in there if candidate.is_file()), None)
            if found is None:
                raise ImageError(f"{path}: there is no {there[0].name} beside it; copy both files of the pair")
            return (path, found) if one.lower() == ".hdr" else (found, path)
    return path, path


def _check(path: Path, header: NiftiHeader) -> None:
    """That the header is whole, and of voxels that ITK reads."""
    if header.version == 0:
        raise ImageError(
            f"{path}: an Analyze 7.5 header, which does not say which side is left; convert it to NIfTI by a tool that "
            "knows"
        )
    if header.version == 2:
        raise ImageError(f"{path}: a NIfTI-2 file, which ITK does not read; convert it to NIfTI-1")
    if not header.size or min(header.size) < 1 or header.offset < 0:
        raise ImageError(f"{path}: its NIfTI header is damaged: the size is {header.size}; convert it again")
    if math.prod(header.size) > MAXIMUM_VOXELS:
        raise ImageError(f"{path}: {header.size} has more than 2^31 voxels; crop or downsample it first")
    if header.datatype not in BITS:
        kind = UNREADABLE.get(header.datatype, f"voxels of the unknown type {header.datatype}")
        raise ImageError(f"{path}: holds {kind}, which ITK does not read; convert it, to 32-bit floats for example")


def _check_forms(path: Path, header: NiftiHeader) -> None:
    """That qform and sform are places; ITK's words about others are no help."""
    for name, code, (origin, steps) in _forms(header):
        if code <= 0:
            continue
        if not (np.isfinite(origin).all() and np.isfinite(steps).all()):
            raise ImageError(f"{path}: its {name} holds NaN or infinity; correct the header")
        spacing = np.linalg.norm(steps, axis=0)
        size = (*header.size, 1, 1)[:3]
        if not (spacing.all() and is_sheared(steps, size)):
            axes = steps / np.where(spacing > 0, spacing, 1.0)
            check_place(
                Grid.of_frame(size, origin.tolist(), spacing.tolist(), axes.ravel().tolist()), f"{path}: {name}"
            )


def _check_name(path: Path) -> None:
    """Warn where a file is compressed and its name says that it is not, or the other way round."""
    is_compressed = is_gzip(path)
    if is_compressed != path.name.lower().endswith(".gz"):
        what = "compressed" if is_compressed else "not compressed"
        name = ".nii.gz" if is_compressed else ".nii"
        warnings.warn(
            f"{path}: is {what}, other than its name says; read as it is, but rename it to end in {name}",
            ImageWarning,
            stacklevel=2,
        )


def _sheared_place(header: NiftiHeader) -> Place | None:
    """Where the sform has the voxels, if it counts and is sheared; ITK refuses it, or takes the qform in its place."""
    qform_code, sform_code = header.codes
    counts = sform_code > 0 and (qform_code <= 0 or sform_code == _SCANNER)
    size = (*header.size, 1, 1)[:3]
    if not counts or not np.isfinite(header.sform[1]).all() or not is_sheared(header.sform[1], size):
        return None
    return header.sform


def _check_place(image: sitk.Image, header: NiftiHeader, path: Path) -> None:
    """That ITK has the voxels where the header does, and which of two places that is."""
    forms = [(name, form) for name, code, form in _forms(header) if code > 0]
    grid = Grid.of(image)
    steps = grid.direction * grid.spacing
    off = [_voxels_apart((grid.origin, steps), form, image.GetSize()) for _, form in forms]
    if not forms:
        return
    nearest = int(np.argmin(off))
    if not off[nearest] <= TOLERANCE:
        raise ImageError(
            f"{path}: its {' and '.join(name for name, _ in forms)} put voxels {off[nearest]:.3g} voxels off where ITK "
            "has them; correct the header"
        )
    if len(forms) == 2 and not off[1 - nearest] <= TOLERANCE:
        warnings.warn(
            f"{path}: {forms[0][0]} and {forms[1][0]} are up to {off[1 - nearest]:.3g} voxels apart; ITK takes the "
            f"{forms[nearest][0]}; if that is not where the image lies, set the code of the {forms[nearest][0]} to 0",
            ImageWarning,
            stacklevel=2,
        )


def _forms(header: NiftiHeader) -> tuple[tuple[str, int, Place], tuple[str, int, Place]]:
    return ("qform", header.codes[0], header.qform), ("sform", header.codes[1], header.sform)


def _voxels_apart(one: Place, other: Place, size: Sequence[int]) -> float:
    """Largest distance of a voxel's two places, in its smallest spacing; infinite where it cannot be told."""
    corners = np.array(list(itertools.product(*[(0, n - 1) for n in size])), dtype=float)
    places = [origin + corners @ steps.T for origin, steps in (one, other)]
    spacing = float(np.linalg.norm(one[1], axis=0).min())
    with np.errstate(all="ignore"):
        apart = float(np.linalg.norm(places[0] - places[1], axis=1).max()) / spacing
    return apart if math.isfinite(apart) else math.inf
