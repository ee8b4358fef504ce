# SPDX-License-Identifier: Apache-2.0
"""The DICOM series that a folder or a file holds, and the choice of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from disa.errors import ImageError
from disa.io.dicom.elements import Header, read_header
from disa.io.paths import is_folder

MOST_LISTED = 8
"""Series that a message lists."""


@dataclass(frozen=True)
class Series:
    """Files of one series.

    Attributes:
        uid: SeriesInstanceUID.
        number: SeriesNumber, as text; empty where there is none.
        files: those with an image, and their headers.
    """

    uid: str
    number: str
    files: list[tuple[Path, Header]]

    def __str__(self) -> str:
        header = self.files[0][1]
        words = [header.text("modality"), *([repr(text)] if (text := header.text("description")) else [])]
        count = sum(int(head.text("frames") or 1) if head.text("frames").isdigit() else 1 for _, head in self.files)
        return f"{self.number or 'without a number'}: {' '.join(words)}, {count} images, {self.uid}"


def series_of(folder: Path) -> list[Series]:
    """The series with images that lie in a folder itself, by number and UID.

    Raises:
        ImageError: the folder or a file of it cannot be read, or a DICOM file is damaged.
    """
    found: dict[str, Series] = {}
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise ImageError(f"{folder}: cannot be read: {error.strerror}; give a folder that you may read") from None
    for path in paths:
        header = header_of(path)
        if header is not None and header.number("rows"):
            is_folder(path)
            uid = header.text("series uid")
            found.setdefault(uid, Series(uid, header.text("series number"), [])).files.append((path, header))
    return sorted(found.values(), key=lambda one: (one.number.zfill(12), one.uid))


def header_of(path: Path) -> Header | None:
    """The DICOM header of a file; None where it is not DICOM. Raises ImageError where it is damaged or unreadable."""
    try:
        return read_header(path)
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}; give a file that you may read") from None
    except ValueError as error:
        raise ImageError(f"{path}: DICOM with {error}; copy or export it again") from None


def chosen(all_series: list[Series], wanted: str | None, name: str) -> Series:
    """The series that was asked for, or the only one.

    Args:
        all_series: in the folder.
        wanted: UID or number; None: there is one alone.
        name: what messages call the folder.

    Raises:
        ImageError: there is none, or there are several to choose from.
    """
    if not all_series:
        raise ImageError(f"{name}: the folder holds no DICOM series; give an image file or a DICOM folder")
    fitting = [one for one in all_series if wanted is None or wanted.strip() in (one.uid, one.number)]
    if len(fitting) == 1:
        return fitting[0]
    shown = fitting or all_series
    listed = "; ".join(str(one) for one in shown[:MOST_LISTED])
    more = f"; and {len(shown) - MOST_LISTED} more" if len(shown) > MOST_LISTED else ""
    found = f"holds {len(shown)} DICOM series" if fitting else f"holds no DICOM series {wanted}"
    raise ImageError(
        f"{name}: {found}; choose one by its number or UID (--series, or disa.ImageFile) of {listed}{more}"
    )
