# SPDX-License-Identifier: Apache-2.0
"""What the adaptors of published datasets share: what is missing in a folder, and landmarks that fit each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import SimpleITK as sitk

from disa.errors import ImageError

Points = tuple[tuple[float, ...], ...]
"""Landmarks, mm (LPS)."""

FEWEST = 3
"""Landmarks that a rigid pose follows from."""


def check_files(files: Iterable[Path], why: str) -> None:
    """Raises ImageError that names the first missing file, says why it is expected, and how many more are missing."""
    missing = [file for file in files if not file.is_file()]
    if missing:
        more = f"; {len(missing) - 1} more are missing" if len(missing) > 1 else ""
        raise ImageError(f"{missing[0]}: no such file, though {why}{more}")


def check_matched(points: Sequence[Points], sources: Sequence[Path]) -> None:
    """Raises ImageError where two images have not as many landmarks, or fewer than a pose follows from."""
    one, other = map(len, points)
    if one != other:
        raise ImageError(f"{sources[0]}: {one} points; expected as many as in {sources[1]}, {other}")
    if one < FEWEST:
        raise ImageError(f"{sources[0]}: {one} points; expected {FEWEST} or more")


def header_of(path: Path) -> sitk.ImageFileReader:
    """A reader that has read the header alone.

    Raises:
        ImageError: it is no image.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise ImageError(f"{path}: cannot be read; expected an image") from None
    return reader
