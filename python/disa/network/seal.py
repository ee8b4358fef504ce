# SPDX-License-Identifier: Apache-2.0
"""Model files carry a checksum at their end; what is damaged or foreign is refused before ONNX Runtime sees it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from disa.errors import ModelError

MAXIMUM_BYTES = 64 * 2**20
"""A hundred times the shipped models."""

_KEY = b"file_sha256"
_DIGITS = 64
_SEAL = bytes([0x72, len(_KEY) + _DIGITS + 4, 0x0A, len(_KEY)]) + _KEY + bytes([0x12, _DIGITS])
"""How protobuf writes an entry of ModelProto.metadata_props; a message may go on after its end, so it can be added."""


def sealed(content: bytes) -> bytes:
    """The bytes of an ONNX model with one entry of metadata more, the SHA-256 of all before it."""
    return content + _SEAL + hashlib.sha256(content).hexdigest().encode()


def read_sealed(path: Path) -> bytes:
    """The bytes of a model file, once its size and checksum are right.

    Raises:
        ModelError: it is missing, larger than 64 MiB, has no checksum or another one.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    try:
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            raise ModelError(f"{path}: {size} bytes are too many for a model; expected a file written by disa export")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from None
    end = len(content) - len(_SEAL) - _DIGITS
    if end < 0 or content[end:-_DIGITS] != _SEAL:
        raise ModelError(f"{path}: cut short, or not a model of this project; expected a file written by disa export")
    if content != sealed(content[:end]):
        raise ModelError(f"{path}: damaged, its checksum is wrong; copy or export it again")
    return content
