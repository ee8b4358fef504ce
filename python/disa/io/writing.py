# SPDX-License-Identifier: Apache-2.0
"""Files that are either there as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import SimpleITK as sitk

from disa.errors import DISAError, ImageError, OutputError
from disa.io.nifti.content import check_written
from disa.io.nifti.reading import is_nifti, parts_of
from disa.io.paths import check_utf8
from disa.io.quiet import ITK_ERRORS

_HDF5_OVERHEAD = 2**16


@contextmanager
def replacing(path: Path, error: type[DISAError] = OutputError) -> Iterator[Path]:
    """A temporary path of the same ending beside `path`, which takes its place when the block ends well.

    Args:
        path: file to write; its folder is made if it is not there.
        error: what is raised.

    Raises:
        OutputError: or `error`, if it cannot be written; `path` is then as it was.
    """
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as problem:
        raise error(f"{path}: cannot be written: {problem.strerror}; what was there before is kept") from None


def write_text(path: Path, text: str) -> None:
    """Replace a text file. Raises OutputError as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


TWO_FILES = (".mhd", ".nhdr", ".hdr", ".img")
"""Endings of formats with a header and a file of voxels, which the header names."""


def write_image(image: sitk.Image, path: Path) -> None:
    """Replace an image file, of the kind that its ending says; of a format of two files both. Raises OutputError."""
    check_utf8(path, OutputError)
    in_place = _replacing_all if path.name.lower().endswith(TWO_FILES) else replacing
    with in_place(path) as temporary, _as_output_error(path, "an ending such as .nii.gz, .nrrd or .mha"):
        sitk.WriteImage(image, str(temporary), useCompression=True)
        if is_nifti(path):
            check_written(*parts_of(temporary))


@contextmanager
def _replacing_all(path: Path) -> Iterator[Path]:
    """A path of the same name in a folder of its own; all that is written there takes its place beside `path`.

    `path` itself comes last. Raises OutputError if that fails; all files are then as they were.
    """
    folder = path.with_name(f".{os.getpid()}.{path.name}")
    before = folder / "before"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before.mkdir(parents=True)
        try:
            yield folder / path.name
            parts = sorted(
                (part for part in folder.iterdir() if part != before), key=lambda part: part.name == path.name
            )
            _move(parts, path.parent, before)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as problem:
        raise OutputError(f"{path}: cannot be written: {problem.strerror}; what was there before is kept") from None


def _move(parts: list[Path], folder: Path, before: Path) -> None:
    """Move files into a folder, all or, where one cannot be moved, none; `before` takes those that they replace."""
    moved: list[Path] = []
    try:
        for part in parts:
            target = folder / part.name
            if target.exists():
                os.link(target, before / part.name)
            os.replace(part, target)
            moved.append(target)
    except OSError:
        for target in moved:
            kept = before / target.name
            os.replace(kept, target) if kept.exists() else target.unlink()
        raise


def write_transform(transform: sitk.Transform, path: Path) -> None:
    """Replace a transform file; composites of composites, which no file holds, become one. Raises OutputError."""
    check_utf8(path, OutputError)
    if transform.GetTransformEnum() == sitk.sitkComposite:
        transform = sitk.CompositeTransform(transform)
        transform.FlattenTransform()
    with replacing(path) as temporary, _as_output_error(path, "an ending such as .h5 or .tfm"):
        _reserve(temporary, _HDF5_OVERHEAD + 8 * _count_numbers(transform))
        sitk.WriteTransform(transform, str(temporary))


def _count_numbers(transform: sitk.Transform) -> int:
    if transform.GetTransformEnum() == sitk.sitkComposite:
        composite = sitk.CompositeTransform(transform)
        return sum(_count_numbers(composite.GetNthTransform(i)) for i in range(composite.GetNumberOfTransforms()))
    return len(transform.GetFixedParameters()) + int(transform.GetNumberOfParameters())


def _reserve(path: Path, size: int) -> None:
    """Raises OSError where so many bytes have no room. HDF5, which comes to know it later, ends the process."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


@contextmanager
def _as_output_error(path: Path, expected: str) -> Iterator[None]:
    try:
        yield
    except (*ITK_ERRORS, ImageError):
        raise OutputError(f"{path}: ITK cannot write it; expected {expected}, and room on the disk") from None
