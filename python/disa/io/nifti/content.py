# SPDX-License-Identifier: Apache-2.0
"""The bytes of one NIfTI file for ITK, which by itself may take those of another file of a like name."""

from __future__ import annotations

import io
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from disa.errors import ImageError
from disa.io.nifti.header import CODES_AT, LENGTH, NiftiHeader, parse

_STEP = 256
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
GZIP = b"\x1f\x8b"
CHUNK = 2**20
_OFFSET_AT, _MAGIC_AT = 108, 344
TAIL = 2**20
"""Bytes beyond the voxels that are read at most, to come to a compressed file's checksum."""


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed, by its first bytes. Raises OSError."""
    with path.open("rb") as file:
        return file.read(2) == GZIP


def header_of(path: Path) -> NiftiHeader | None:
    """The header of a file, compressed or not; None where it has none. Raises OSError."""
    first = io.BytesIO()
    _copy(path, first, LENGTH)
    return parse(first.getvalue())


def check_written(path: Path, voxels: Path) -> None:
    """Raises ImageError where files of one's own, header and voxels, end early, as ITK writes them on a full disk."""
    header = header_of(path)
    needed = 0 if header is None else header.needed
    if header is None or not _is_long_enough(voxels, needed):
        raise ImageError(f"{voxels}: ends early; expected {needed} bytes")


def _is_long_enough(path: Path, needed: int) -> bool:
    """By the file's length or, where it is compressed, by what its end says."""
    if not is_gzip(path):
        return path.stat().st_size >= needed
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(), "little") == needed % 2**32 or _copy(path, None, needed)[0] >= needed


@contextmanager
def lent(path: Path, header: NiftiHeader, voxels: Path, *, placed: bool) -> Iterator[Path]:
    """A NIfTI file of one part, of the same voxels, alone in a folder for as long as the block runs.

    Args:
        path: of the header.
        header: what it says.
        voxels: the same path, or that of the file with the voxels.
        placed: False leaves qform and sform out, so that ITK takes any.

    Raises:
        ImageError: the file ends early or is damaged.
        OSError: it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="disa-") as folder:
        link = Path(folder, "image.nii")
        if placed and path == voxels and not is_gzip(path):
            _check(path, path.stat().st_size, header.needed)
            link.symlink_to(path.absolute())
            yield link
            return
        with os.fdopen(os.memfd_create("nifti"), "r+b") as memory:
            if path == voxels:
                found, is_damaged = _copy(path, memory, header.needed)
                _check(path, found, header.needed, is_damaged)
            else:
                _join(path, header, voxels, memory)
            if not placed:
                memory.seek(CODES_AT)
                memory.write(bytes(4))
            memory.flush()
            link.symlink_to(f"/proc/{os.getpid()}/fd/{memory.fileno()}")
            yield link


def _join(path: Path, header: NiftiHeader, voxels: Path, memory: BinaryIO) -> None:
    """Header and voxels of two files as one."""
    _copy(path, memory, LENGTH)
    for at, value in (
        (_OFFSET_AT, struct.pack(f"{header.order}f", LENGTH + 4)),
        (_MAGIC_AT, b"n+1\0"),
        (LENGTH, bytes(4)),
    ):
        memory.seek(at)
        memory.write(value)
    found, is_damaged = _copy(voxels, memory, header.needed, header.offset)
    _check(voxels, found, header.needed, is_damaged)


def _check(path: Path, found: int, needed: int, is_damaged: bool = False) -> None:
    if is_damaged:
        raise ImageError(f"{path}: is damaged after {min(found, needed)} of {needed} bytes; copy or convert it again")
    if found < needed:
        raise ImageError(f"{path}: ends after {found} of {needed} bytes; copy or convert it again")


def _copy(path: Path, target: BinaryIO | None, needed: int, skipped: int = 0) -> tuple[int, bool]:
    """Write what a file holds, uncompressed; how many bytes there are, the skipped ones too, and whether it is damaged.

    A compressed file is read on to its checksum, if that is near.
    """
    found = 0
    is_compressed = is_gzip(path)
    with path.open("rb") as file:
        try:
            for chunk in _uncompressed(file) if is_compressed else _chunks(file):
                if target is not None:
                    target.write(chunk[max(skipped - found, 0) :])
                found += len(chunk)
                if found >= needed + TAIL * is_compressed:
                    break
        except zlib.error:
            return found, True
    return found, False


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _uncompressed(file: BinaryIO) -> Iterator[bytes]:
    """What the members of a gzip file hold. Raises zlib.error where one is damaged; one that ends early gives less."""
    engine = zlib.decompressobj(_GZIP_WINDOW)
    for rest in _chunks(file):
        data = rest
        while data:
            if engine.eof:
                if not data.strip(b"\0"):
                    break  # zeros may follow the last member
                engine = zlib.decompressobj(_GZIP_WINDOW)
            before = engine.copy()
            try:
                yield engine.decompress(data, CHUNK)
            except zlib.error:
                yield from _up_to_damage(before, data)
            data = engine.unused_data or engine.unconsumed_tail


def _up_to_damage(engine: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What is whole before the damage, which then raises zlib.error."""
    while data:
        yield engine.decompress(data, _STEP)
        data = engine.unconsumed_tail
    raise zlib.error("damaged")
