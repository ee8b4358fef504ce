# SPDX-License-Identifier: Apache-2.0
"""Where the slices of a series lie: whether they are one volume, and which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from disa.errors import ImageError
from disa.geometry.shear import TOLERANCE
from disa.io.dicom.slices import KINDS, Slice

FloatArray = npt.NDArray[np.float64]

_SAME = 1e-3
"""mm between slices that lie at one position."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices at even distances along a line.

    Attributes:
        slices: in their order along the normal of the first one.
        origin: centre of the first voxel, shape (3,), mm (LPS).
        steps: from one voxel to the next along each axis, as columns of shape (3, 3), mm; the last is not at right
            angles to the others where the gantry was tilted.
    """

    slices: list[Slice]
    origin: FloatArray
    steps: FloatArray


def stack_of(slices: Sequence[Slice], name: str) -> Stack:
    """The stack that slices make, in any order.

    Every slice lies within a tenth of a voxel of where the stack has it.

    Raises:
        ImageError: they differ in size, spacing or orientation, share positions, or are not evenly spaced.
    """
    _check_alike(slices, name)
    across, down = slices[0].axes
    normal = np.cross(across, down)
    normal /= np.linalg.norm(normal)
    ordered = sorted(slices, key=lambda one: float(one.position @ normal))
    positions = np.array([one.position for one in ordered])
    if len(ordered) == 1:
        return Stack(ordered, positions[0], np.column_stack([across, down, normal]))
    _check_apart(ordered, positions @ normal, name)
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    steps = np.column_stack([across, down, step])
    _check_even(ordered, positions, steps, normal, name)
    return Stack(ordered, positions[0], steps)


def _check_alike(slices: Sequence[Slice], name: str) -> None:
    """That all have one size, spacing and orientation."""
    sizes = Counter(one.size for one in slices)
    if len(sizes) > 1:
        found = ", ".join(f"{count} of {x} x {y}" for (x, y), count in sizes.most_common())
        raise ImageError(f"{name}: slices of several sizes ({found}); give the slices of one volume")
    columns, rows = slices[0].size
    if min(columns, rows) < 1:
        raise ImageError(f"{name}: the DICOM header says {columns} x {rows} voxels; export it again")
    extents = np.array([one.axes * [[columns - 1], [rows - 1]] for one in slices])
    usual = extents[_most_like(extents)]
    voxels = np.linalg.norm(slices[0].axes, axis=1)
    off = np.linalg.norm(extents - usual, axis=2).max(axis=1) / voxels.min()
    wrong = np.flatnonzero(off > TOLERANCE)
    if len(wrong):
        raise ImageError(
            f"{name}: {len(wrong)} of {len(slices)} slices have another orientation or pixel spacing, "
            f"{_called(slices[wrong[0]])} first; give the slices of one volume, without localisers"
        )


def _most_like(extents: FloatArray) -> int:
    """Index of one of the most frequent, to rounding."""
    keys = [tuple(row) for row in np.round(extents.reshape(len(extents), -1), 1).tolist()]
    return keys.index(Counter(keys).most_common(1)[0][0])


def _check_apart(ordered: Sequence[Slice], along: FloatArray, name: str) -> None:
    """That no two slices share a position."""
    gaps = np.diff(along)
    apart = gaps[gaps > _SAME]
    if not len(apart):
        raise ImageError(
            f"{name}: all {len(ordered)} slices lie at one position{_told_apart(ordered)}; "
            "give the slices of one volume"
        )
    same = np.flatnonzero(gaps < TOLERANCE * np.median(apart))
    if not len(same):
        return
    one, other = ordered[same[0]], ordered[same[0] + 1]
    if one.uid and one.uid == other.uid and one.path != other.path:
        raise ImageError(f"{name}: {_called(one)} and {_called(other)} are the same slice; remove one of them")
    raise ImageError(
        f"{name}: {len(ordered)} slices at {len(ordered) - len(same)} positions{_told_apart(ordered)}; "
        "give the slices of one volume, a folder for each"
    )


def _told_apart(slices: Sequence[Slice]) -> str:
    """What tells images of one position apart, for a message."""
    for index, kind in enumerate(KINDS):
        values = sorted({one.kinds[index] for one in slices})
        if 1 < len(values) < len(slices) or (len(values) == len(slices) <= 4):
            return f", of {kind} {', '.join(values[:4])}{' ...' if len(values) > 4 else ''}"
    return ""


def _check_even(
    ordered: Sequence[Slice], positions: FloatArray, steps: FloatArray, normal: FloatArray, name: str
) -> None:
    """That every slice lies within a tenth of a voxel of where even distances have it."""
    count = len(ordered)
    off = positions - positions[0] - np.arange(count)[:, None] * steps[:, 2]
    axes = np.column_stack(
        [steps[:, 0] / np.linalg.norm(steps[:, 0]), steps[:, 1] / np.linalg.norm(steps[:, 1]), normal]
    )
    voxels = np.array([*np.linalg.norm(steps[:, :2], axis=0), float(steps[:, 2] @ normal)])
    if np.abs(off @ axes / voxels).max() <= TOLERANCE:
        return
    gaps = np.diff(positions @ normal)
    usual = float(np.median(gaps))
    wide = np.flatnonzero(gaps > 1.5 * usual)
    if len(wide):
        one, other = ordered[wide[0]], ordered[wide[0] + 1]
        raise ImageError(
            f"{name}: slices are missing: {gaps[wide[0]]:.4g} mm lie between {_called(one)} and {_called(other)}, "
            f"and {usual:.4g} mm between most others; give all slices of the series"
        )
    if gaps.max() - gaps.min() > TOLERANCE * usual:
        raise ImageError(
            f"{name}: slices are unevenly spaced, {gaps.min():.4g} to {gaps.max():.4g} mm; expected even distances, "
            "so resample it first"
        )
    raise ImageError(f"{name}: slices do not lie along one line; expected one volume, so export it again")


def _called(one: Slice) -> str:
    return f"frame {one.frame + 1}" if one.frame else one.path.name
