# SPDX-License-Identifier: Apache-2.0
"""DICOM files written byte by byte, so that a test says what each header holds, sequences too."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SERIES = "1.2.826.0.1.3680043.2.1125.7"
CT, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
VOXELS = 0x7FE00010
KINDS = {
    0x00080008: "CS", 0x00080016: "UI", 0x00080018: "UI", 0x00080060: "CS", 0x0008103E: "LO", 0x00180086: "IS",
    0x0020000D: "UI", 0x0020000E: "UI", 0x00200011: "IS", 0x00200013: "IS", 0x00200032: "DS", 0x00200037: "DS",
    0x00209113: "SQ", 0x00209116: "SQ", 0x00280002: "US", 0x00280004: "CS", 0x00280008: "IS", 0x00280010: "US",
    0x00280011: "US", 0x00280030: "DS", 0x00280100: "US", 0x00280101: "US", 0x00280102: "US", 0x00280103: "US",
    0x00281052: "DS", 0x00281053: "DS", 0x00289110: "SQ", 0x52009229: "SQ", 0x52009230: "SQ", VOXELS: "OW",
    0x00020010: "UI", 0x00020002: "UI", 0x00020003: "UI",
}  # fmt: skip
LONG = ("OW", "SQ")
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def encoded(elements: Mapping[int, Any], explicit: bool = True, endless: bool = False) -> bytes:
    """A data set: texts, numbers, bytes, or lists of data sets. Endless: sequences of undefined length.

    Pixels that are a list are frames as a codec packed them.
    """
    out = b""
    for tag, value in sorted(elements.items()):
        kind = KINDS[tag]
        is_packed = kind == "OW" and not isinstance(value, bytes)
        data = _packed(value) if is_packed else _value(kind, value, explicit, endless)
        length = 0xFFFFFFFF if is_packed or (kind == "SQ" and endless) else len(data)
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if not explicit:
            head += struct.pack("<I", length)
        elif kind in LONG:
            head += kind.encode() + b"\0\0" + struct.pack("<I", length)
        else:
            head += kind.encode() + struct.pack("<H", length)
        out += head + data
    return out


def _packed(frames: Sequence[bytes]) -> bytes:
    items = [b"", *(frame + bytes(len(frame) % 2) for frame in frames)]  # the first would say where each begins
    data = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    return data + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def _value(kind: str, value: Any, explicit: bool, endless: bool) -> bytes:
    if kind == "SQ":
        items = b""
        for item in value:
            data = encoded(item, explicit, endless)
            if endless:
                items += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + data + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
            else:
                items += struct.pack("<HHI", 0xFFFE, 0xE000, len(data)) + data
        return items + (struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if endless else b"")
    if kind == "US":
        return struct.pack("<H", value)
    if isinstance(value, bytes):
        return value
    data = (value if isinstance(value, str) else numbers(value)).encode()
    return data + (b"\0" if kind == "UI" else b" ") * (len(data) % 2)


def numbers(values: Any) -> str:
    """As DICOM writes decimals."""
    return "\\".join(f"{float(value):.10g}" for value in np.atleast_1d(values))


def write(path: Path, elements: Mapping[int, Any], syntax: str = EXPLICIT, endless: bool = False) -> None:
    """A DICOM file."""
    meta = encoded({0x00020002: elements[0x00080016], 0x00020003: elements[0x00080018], 0x00020010: syntax})
    length = struct.pack("<HH", 2, 0) + b"UL" + struct.pack("<HI", 4, len(meta))
    path.write_bytes(bytes(128) + b"DICM" + length + meta + encoded(elements, syntax != IMPLICIT, endless))


def header(pixels: np.ndarray, uid: str, spacing: Sequence[float]) -> dict[int, Any]:
    """What every image of these tests has, the place aside; `spacing` along x and y."""
    rows, columns = pixels.shape[-2:]
    return {
        0x00080016: CT, 0x00080018: uid, 0x00080060: "CT", 0x0020000D: SERIES + ".0", 0x0020000E: SERIES,
        0x00200011: "3", 0x00280002: 1, 0x00280004: "MONOCHROME2", 0x00280010: rows, 0x00280011: columns,
        0x00280030: numbers(spacing[1::-1]), 0x00280100: 16, 0x00280101: 16, 0x00280102: 15, 0x00280103: 1,
        VOXELS: pixels.astype("<i2").tobytes(),
    }  # fmt: skip


def write_series(
    folder: Path,
    pixels: np.ndarray,
    positions: Any,
    spacing: Sequence[float],
    *,
    orientation: Sequence[float] = AXIAL,
    extra: Callable[[int], Mapping[int, Any]] = lambda number: {},
    syntax: str = EXPLICIT,
) -> list[Path]:
    """One file a slice of `pixels`, shape (z, y, x), at positions (z, 3); `extra` replaces elements of a slice."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, (image, position) in enumerate(zip(pixels, np.asarray(positions), strict=True)):
        place = {0x00200013: str(number + 1), 0x00200032: numbers(position), 0x00200037: numbers(orientation)}
        paths.append(folder / f"{number:04d}.dcm")
        elements = {**header(image, f"{SERIES}.1.{number + 1}", spacing), **place, **extra(number)}
        write(paths[-1], {tag: value for tag, value in elements.items() if value is not None}, syntax)
    return paths


def write_enhanced(
    path: Path,
    pixels: np.ndarray,
    positions: Any,
    spacing: Sequence[float],
    *,
    orientations: Any = None,
    syntax: str = EXPLICIT,
    endless: bool = False,
) -> None:
    """One file of all slices, with a plane position for each frame, and a plane orientation where one is given."""
    elements = header(pixels, SERIES + ".1", spacing)
    measures = {0x00289110: [{0x00280030: elements.pop(0x00280030)}]}
    shared = measures if orientations is not None else {**measures, 0x00209116: [{0x00200037: numbers(AXIAL)}]}
    frames: list[dict[int, Any]] = [{0x00209113: [{0x00200032: numbers(position)}]} for position in positions]
    for frame, orientation in zip(frames, orientations or (), strict=False):
        frame[0x00209116] = [{0x00200037: numbers(orientation)}]
    elements |= {0x00080016: ENHANCED_CT, 0x00280008: str(len(pixels)), 0x52009229: [shared], 0x52009230: frames}
    write(path, elements, syntax, endless)
