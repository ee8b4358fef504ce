# SPDX-License-Identifier: Apache-2.0
"""The slices that DICOM files hold, each with the place that its header gives it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from disa.errors import ImageError
from disa.io.dicom.elements import FRAME_GROUPS, SHARED_GROUPS, Elements, Header

FloatArray = npt.NDArray[np.float64]

KINDS = ("echo number", "echo time", "time point", "trigger time", "acquisition number", "image type")
"""What may tell images of one place apart, in the order in which a message looks for it."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One image of a file.

    Attributes:
        path: of its file.
        frame: its number in the file, from 0.
        size: columns and rows.
        position: centre of its first voxel, shape (3,), mm (LPS).
        axes: from one voxel to the next along a row and along a column, as rows of shape (2, 3), mm.
        rescale: intercept and slope of its intensities.
        stored: bits of a voxel, and 1 where it has a sign.
        kinds: what `KINDS` names.
        uid: of the image.
    """

    path: Path
    frame: int
    size: tuple[int, int]
    position: FloatArray
    axes: FloatArray
    rescale: tuple[float, float]
    stored: tuple[int, int]
    kinds: tuple[str, ...]
    uid: str


def slices_of(path: Path, header: Header) -> list[Slice]:
    """All slices of a file, as they are stored.

    Raises:
        ImageError: its header does not say where they lie.
    """
    try:
        count = int(header.text("frames") or 1)
        groups = _groups(header, count)
        if len(groups) != count:
            raise ImageError(
                f"{path}: {count} frames in one file, and a place for {len(groups)} of them in its DICOM header; "
                "convert it to NIfTI by a tool that knows this scanner"
            )
        return [_slice(path, header, frame, group) for frame, group in enumerate(groups)]
    except ImageError:
        raise
    except ValueError:
        raise ImageError(f"{path}: its DICOM header is damaged: a number is none; export it again") from None


def _groups(header: Header, count: int) -> list[tuple[Elements, ...]]:
    """For each frame the places where its values stand, the nearest first."""
    shared = _inside(header.elements.get(SHARED_GROUPS, [{}]))
    frames = header.elements.get(FRAME_GROUPS, [])
    if count == 1 and not frames:
        return [tuple(shared)]
    return [(*_inside([frame]), *shared) for frame in frames if not isinstance(frame, int)]


def _inside(items: bytes | list[Elements]) -> list[Elements]:
    """The first item of each sequence in the first item."""
    if isinstance(items, bytes) or not items:
        return []
    return [value[0] for value in items[0].values() if isinstance(value, list) and value]


def _slice(path: Path, header: Header, frame: int, group: tuple[Elements, ...]) -> Slice:
    where = str(path) if frame == 0 and not group else f"{path}: frame {frame + 1}"
    position, orientation = header.numbers("position", *group), header.numbers("orientation", *group)
    spacing = header.numbers("pixel spacing", *group)
    columns, rows = header.number("columns"), header.number("rows")
    for name, values, length in (
        ("position", position, 3),
        ("orientation", orientation, 6),
        ("pixel spacing", spacing, 2),
    ):
        if len(values) != length or not all(math.isfinite(value) for value in values):
            raise ImageError(
                f"{where}: its DICOM header has no {name} of {length} numbers, so nobody knows where it lies; "
                "convert it to NIfTI by a tool that knows this scanner"
            )
    along = np.reshape(orientation, (2, 3))
    if not np.allclose(along @ along.T, np.eye(2), atol=1e-2) or min(spacing) <= 0:
        raise ImageError(
            f"{where}: expected two unit axes at right angles and a pixel spacing above 0, "
            f"got {orientation} and {spacing}; export it again"
        )
    return Slice(
        path,
        frame,
        (columns, rows),
        np.asarray(position),
        along * np.asarray(spacing[::-1])[:, None],
        (
            _first(header.numbers("rescale intercept", *group), 0.0),
            _first(header.numbers("rescale slope", *group), 1.0),
        ),
        (header.number("bits"), header.number("signed")),
        tuple(header.text(name, *group) for name in KINDS),
        header.text("instance uid"),
    )


def _first(values: list[float], default: float) -> float:
    return values[0] if values else default
