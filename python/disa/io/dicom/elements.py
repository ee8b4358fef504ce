# SPDX-License-Identifier: Apache-2.0
"""The elements of a DICOM header that say where its images lie, nested ones too, which SimpleITK does not show."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

Elements: TypeAlias = "Mapping[int, bytes | list[Elements]]"
"""Values by tag, 0xGGGGEEEE; of a sequence its items."""

SHARED_GROUPS, FRAME_GROUPS = 0x52009229, 0x52009230
TRANSFER_SYNTAX = 0x00020010
PIXEL_DATA = 0x7FE00008
"""The first tag that holds pixels."""

TEXTS = {
    "image type": 0x00080008,
    "sop class": 0x00080016,
    "instance uid": 0x00080018,
    "modality": 0x00080060,
    "description": 0x0008103E,
    "echo time": 0x00180081,
    "echo number": 0x00180086,
    "trigger time": 0x00181060,
    "series uid": 0x0020000E,
    "series number": 0x00200011,
    "acquisition number": 0x00200012,
    "position": 0x00200032,
    "orientation": 0x00200037,
    "time point": 0x00200100,
    "frames": 0x00280008,
    "pixel spacing": 0x00280030,
    "rescale intercept": 0x00281052,
    "rescale slope": 0x00281053,
}
NUMBERS = {"rows": 0x00280010, "columns": 0x00280011, "bits": 0x00280100, "signed": 0x00280103}
SEQUENCES = {
    SHARED_GROUPS,
    FRAME_GROUPS,
    0x00209113,  # plane position
    0x00209116,  # plane orientation
    0x00289110,  # pixel measures
    0x00289145,  # pixel value transformation
}
WANTED = {TRANSFER_SYNTAX, *TEXTS.values(), *NUMBERS.values()}

_IMPLICIT, _DEFLATED, _BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_DEEPEST = 12
_LONGEST = 4096
"""Bytes of a value that is kept."""


@dataclass(frozen=True)
class Header:
    """Of a DICOM file.

    Attributes:
        elements: those that are wanted.
        order: "<" or ">", of its bytes.
    """

    elements: Elements
    order: str

    @property
    def syntax(self) -> str:
        """UID of the transfer syntax; empty where the file names none."""
        return _decoded(self.elements.get(TRANSFER_SYNTAX, b""))

    def text(self, name: str, *places: Elements) -> str:
        """A value as text, from the first place that has it, or the header; empty where none has."""
        tag = TEXTS[name]
        return next((_decoded(place[tag]) for place in (*places, self.elements) if tag in place), "")

    def numbers(self, name: str, *places: Elements) -> list[float]:
        """A text of numbers. Raises ValueError where a word is no number."""
        text = self.text(name, *places)
        return [float(word) for word in text.split("\\")] if text else []

    def number(self, name: str) -> int:
        """A 16-bit number; 0 where there is none."""
        value = self.elements.get(NUMBERS[name], b"")
        return struct.unpack(f"{self.order}H", value[:2])[0] if isinstance(value, bytes) and len(value) >= 2 else 0


def read_header(path: Path) -> Header | None:
    """The header of a file; None where it is not DICOM.

    Raises:
        ValueError: it is DICOM and damaged.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(132)
        if head[128:] != b"DICM":
            file.seek(0)
            return _old_header(file, head)
        meta, start = _meta(file)
        syntax = _decoded(meta.get(TRANSFER_SYNTAX, b""))
        file.seek(start)
        stream: BinaryIO = file
        if syntax == _DEFLATED:
            try:
                stream = io.BytesIO(zlib.decompress(file.read(), -zlib.MAX_WBITS))
            except zlib.error:
                raise ValueError("deflated data that is damaged") from None
        parser = _Parser(stream, ">" if syntax == _BIG_ENDIAN else "<", syntax != _IMPLICIT)
        return Header({**meta, **parser.elements(None)}, parser.order)


def _old_header(file: BinaryIO, head: bytes) -> Header | None:
    """Of a file without the preamble, as some archives keep: little-endian, from group 8 on."""
    if len(head) < 8 or head[1:4:2] != b"\0\0" or head[0] != 8:
        return None
    parser = _Parser(file, "<", head[4:6].isalpha() and head[4:6].isupper())
    try:
        return Header(parser.elements(None), "<")
    except ValueError:
        return None


def _meta(file: BinaryIO) -> tuple[dict[int, bytes | list[Elements]], int]:
    """The file's own group, always explicit and little-endian, and where the next begins."""
    parser = _Parser(file, "<", True)
    found: dict[int, bytes | list[Elements]] = {}
    while True:
        start = file.tell()
        tag = parser.peek()
        if tag is None or tag >> 16 != 2:
            return found, start
        parser.one(found, 0)


def _decoded(value: bytes | list[Elements]) -> str:
    if not isinstance(value, bytes):
        return ""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.strip("\0 ")


class _Parser:
    def __init__(self, stream: BinaryIO, order: str, explicit: bool) -> None:
        self.stream = stream
        self.order = order
        self.explicit = explicit
        self._tag = struct.Struct(f"{order}HH")
        self._short = struct.Struct(f"{order}H")
        self._long = struct.Struct(f"{order}I")

    def peek(self) -> int | None:
        """The next tag; None at the end."""
        start = self.stream.tell()
        head = self.stream.read(4)
        self.stream.seek(start)
        return self._tag_of(head) if len(head) == 4 else None

    def elements(self, end: int | None, depth: int = 0) -> dict[int, bytes | list[Elements]]:
        """All that are wanted, to a place in the stream, to an item's end, or to the pixels."""
        found: dict[int, bytes | list[Elements]] = {}
        while end is None or self.stream.tell() < end:
            if depth == 0:
                tag = self.peek()
                if tag is None or tag >= PIXEL_DATA:
                    break
            if self.one(found, depth) == _ITEM_END:
                break
        return found

    def one(self, found: dict[int, bytes | list[Elements]], depth: int) -> int:
        """Read an element, keep it if it is wanted, and give its tag."""
        tag = self._tag_of(self._read(4))
        if tag >> 16 == 0xFFFE:
            self._read(4)
            return tag
        kind, length = self._kind_and_length()
        if kind == b"SQ" or tag in SEQUENCES or length == _UNDEFINED:
            if length != _UNDEFINED and tag not in SEQUENCES:
                self._skip(length)
                return tag
            was, self.explicit = self.explicit, self.explicit and kind != b"UN"
            items = self._items(length, depth + 1)
            self.explicit = was
            if tag in SEQUENCES:
                found[tag] = items
        elif tag in WANTED and length <= _LONGEST:
            found[tag] = self._read(length)
        else:
            self._skip(length)
        return tag

    def _items(self, length: int, depth: int) -> list[Elements]:
        if depth > _DEEPEST:
            raise ValueError("sequences nested too deep")
        end = None if length == _UNDEFINED else self.stream.tell() + length
        items: list[Elements] = []
        while end is None or self.stream.tell() < end:
            tag = self._tag_of(self._read(4))
            size = self._long.unpack(self._read(4))[0]
            if tag == _SEQUENCE_END:
                break
            if tag != _ITEM:
                raise ValueError("a sequence that is damaged")
            items.append(self.elements(self.stream.tell() + size if size != _UNDEFINED else None, depth))
        return items

    def _kind_and_length(self) -> tuple[bytes, int]:
        if not self.explicit:
            return b"", int(self._long.unpack(self._read(4))[0])
        kind = self._read(2)
        if kind in _LONG:
            self._read(2)
            return kind, int(self._long.unpack(self._read(4))[0])
        return kind, int(self._short.unpack(self._read(2))[0])

    def _tag_of(self, head: bytes) -> int:
        group, element = self._tag.unpack(head)
        return int(group) << 16 | int(element)

    def _read(self, count: int) -> bytes:
        data = self.stream.read(count)
        if len(data) < count:
            raise ValueError("a header that ends early")
        return data

    def _skip(self, count: int) -> None:
        self.stream.seek(count, io.SEEK_CUR)
