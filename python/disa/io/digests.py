# SPDX-License-Identifier: Apache-2.0
"""What tells a file from another one: SHA-256 over all that is read where its path is given."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from disa.errors import ImageError

_DETACHED = (".mhd", ".nhdr", ".hdr", ".img", ".img.gz")
"""Endings of images whose voxels lie in further files."""
_PATTERN = re.compile(r"%0?\d*d")
_CHUNK = 2**20


def digest_of_file(path: Path) -> str:
    """SHA-256 of a regular file, hexadecimal. Raises OSError."""
    digest = hashlib.sha256()
    _add(path, digest)
    return digest.hexdigest()


def digest_of_input(path: Path) -> str:
    """The same of an input: of a folder with one DICOM series, of an image with the files that its header names.

    Raises:
        ImageError: it is missing or cannot be read.
    """
    try:
        if path.is_file() and not path.name.lower().endswith(_DETACHED):
            return digest_of_file(path)
        if not path.exists():
            raise ImageError(f"{path}: no such file")
        digest = hashlib.sha256()
        for part in sorted(set(_parts(path))):
            digest.update(f"{part.name}\0{part.stat().st_size}\0".encode(errors="surrogateescape"))
            _add(part, digest)
        return digest.hexdigest()
    except OSError as problem:
        raise ImageError(f"{path}: cannot be read: {problem.strerror}") from None


def _add(path: Path, digest: hashlib._Hash) -> None:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)


def _parts(path: Path) -> Iterator[Path]:
    """The files of a folder or of an image with a header of its own."""
    if path.is_dir():
        yield from _files_of(path)
        return
    yield path
    stem = path.name.split(".")[0]
    yield from (other for other in _files_of(path.parent) if other.name.split(".")[0] == stem)
    if path.name.lower().endswith((".mhd", ".nhdr")):
        text = path.read_bytes()[: 2**20].decode("latin-1")
        if _PATTERN.search(text):
            yield from _files_of(path.parent)
        for word in re.split(r"[\s=:]+", text):
            other = path.parent / word
            if word and len(word) < 256 and "\0" not in word and other.is_file():
                yield other


def _files_of(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".disa-"))
