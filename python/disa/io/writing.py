# SPDX-License-Identifier: Apache-2.0
"""Files that are either there as a whole or not at all; what is a pipe or a device is written into."""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from disa.core import FeatureVolume
from disa.errors import DISAError, ImageError, OutputError
from disa.geometry.grid import Grid
from disa.geometry.shear import TOLERANCE
from disa.io.nifti.content import check_written
from disa.io.nifti.reading import is_nifti, parts_of
from disa.io.paths import check_utf8
from disa.io.quiet import ITK_ERRORS, same_locale
from disa.io.scratch import scratch_in

_HDF5_OVERHEAD = 2**16
_OF_PROCESSES = (Path("/dev"), Path("/proc"))
"""Where a regular file is one that somebody has open, as /dev/stdout is after `>`."""


@contextmanager
def replacing(path: Path, error: type[DISAError] = OutputError) -> Iterator[Path]:
    """A path of the same name in a temporary folder; what is there when the block ends well takes its place.

    Files beside it in that folder, as some image formats have them, go with it. A link is followed; into a pipe, a
    character device, or what a process has open under /dev, the content is written.

    Args:
        path: file to write; its folder is made if it is not there.
        error: what is raised.

    Raises:
        OutputError: or `error`, if it cannot be written; `path` is then as it was.
    """
    try:
        target = Path(os.path.realpath(path))
        through = _is_written_into(path, target)
        if not through:
            target.parent.mkdir(parents=True, exist_ok=True)
        with scratch_in(Path(tempfile.gettempdir()) if through else target.parent) as folder:
            temporary = folder / path.name
            yield temporary
            if through:
                _write_into(path, temporary)
                return
            beside = sorted(set(folder.iterdir()) - {temporary})
            _move([*((file, target.parent / file.name) for file in beside), (temporary, target)], folder)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        if problem.errno == errno.ENXIO:
            reason = "a pipe that nobody reads, or a device that is not there"
        raise error(f"{path}: cannot be written: {reason}; what was there before is kept") from None


def _is_written_into(path: Path, target: Path) -> bool:
    """Whether it is a pipe or such, in place of a file to replace. Raises OSError where it can be neither."""
    try:
        mode = target.stat().st_mode if os.path.lexists(target) else path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise OSError(errno.EINVAL, "is a device or a socket, expected a file")
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return True
    return any(path.absolute().is_relative_to(place) for place in _OF_PROCESSES) and stat.S_ISREG(mode)


def _write_into(path: Path, content: Path) -> None:
    """Write to what is open elsewhere. Raises OSError, also where nobody reads a pipe.

    The process's own output is not opened anew, or a shell that writes into the same file would write over it.
    """
    number = _own(path)
    if number is None:
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY)
        os.set_blocking(number, True)
    with open(number, "wb") as file, content.open("rb") as source:
        shutil.copyfileobj(source, file)


def is_written_into(path: Path) -> bool:
    """Whether what is written there goes into a pipe, a device or what is open, and is no file of its own."""
    with contextlib.suppress(OSError):
        return _is_written_into(path, Path(os.path.realpath(path)))
    return False


def _own(path: Path) -> int | None:
    """A copy of this process's output or error output, where the path is that; None: it is something else."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
            if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                return os.dup(stream.fileno())
    return None


def write_text(path: Path, text: str) -> None:
    """Replace a text file. Raises OutputError as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file. Raises OutputError as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_features(features: FeatureVolume, path: Path) -> None:
    """Replace a file of descriptors. Raises OutputError as `replacing`."""
    with replacing(path) as temporary:
        try:
            features.save(temporary)
        except ImageError:
            raise OutputError(f"{path}: the descriptors cannot be written; expected room on the disk") from None


def write_image(image: sitk.Image, path: Path) -> None:
    """Replace an image file, of the kind that its ending says; of a format of two files both. Raises OutputError."""
    check_utf8(path, OutputError)
    with replacing(path) as temporary, _as_output_error(path, "an ending such as .nii.gz, .nrrd or .mha"):
        sitk.WriteImage(image, str(temporary), useCompression=True)
        if not temporary.exists():  # ITK takes a.nii.gz.nii.gz for a.nii.gz
            raise ImageError(f"{path}: was written under another name")
        if is_nifti(path):
            check_written(*parts_of(temporary))
        _check_place(image, temporary, path)


def _check_place(image: sitk.Image, written: Path, path: Path) -> None:
    """Raises OutputError where a file has another grid: .png keeps one slice, .tif neither origin nor slice distance.

    Args:
        image: that was written.
        written: the file.
        path: what messages call it.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(written))
    with same_locale():
        reader.ReadImageInformation()
    if reader.GetSize() == image.GetSize():
        own = Grid.of(image)
        found = Grid.of_frame(own.size, reader.GetOrigin(), reader.GetSpacing(), reader.GetDirection())
        if (np.abs(own.corners - found.corners) <= TOLERANCE * own.spacing.min()).all():
            return
    raise OutputError(f"{path}: its format does not hold where all voxels lie; give an ending such as .nii.gz or .nrrd")


def _move(files: list[tuple[Path, Path]], folder: Path) -> None:
    """Let files take the places of others, all of them or none; a new folder in `folder` keeps those."""
    before = folder / "before"
    before.mkdir()
    moved: list[Path] = []
    try:
        for source, target in files:
            if target.is_file():
                os.link(target, before / target.name)
            os.replace(source, target)
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
    except OutputError:
        raise
    except (*ITK_ERRORS, ImageError):
        raise OutputError(f"{path}: ITK cannot write it; expected {expected}, and room on the disk") from None
