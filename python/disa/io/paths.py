# SPDX-License-Identifier: Apache-2.0
"""Paths of what is to be read: whether there is such a file, before anything opens it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from disa.errors import DISAError, ImageError
from disa.io.kinds import FOLDER, kind_of


def shown(path: str | os.PathLike[str]) -> str:
    """A path for a message: as it is, but for bytes that are not UTF-8 and for line breaks."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )


def check_utf8(path: Path, error: type[DISAError]) -> None:
    """Raises an error where SimpleITK, which takes a path for UTF-8, would end the process or use another name."""
    content = os.fsencode(path)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise error(f"{shown(path)}: the path is not UTF-8; rename it") from None
    if os.fspath(path).encode("utf-8", "replace") != content:
        raise error(
            f"{shown(path)}: the path is UTF-8, but this process takes paths for {sys.getfilesystemencoding()}; set "
            "the environment variable PYTHONUTF8=1"
        )


def is_folder(path: Path) -> bool:
    """Whether a path is that of a folder; otherwise it is that of a file.

    Raises:
        ImageError: there is neither, it may not be read, or its name is one that ITK cannot take.
    """
    name = shown(path)
    check_utf8(path, ImageError)
    try:
        kind = kind_of(path)
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file") from None
    except OSError as error:
        raise ImageError(f"{name}: cannot be read: {error.strerror}; give the path of a file or folder") from None
    except ValueError:
        raise ImageError(f"{name}: is no path, for it holds a null character; give the path of a file") from None
    if kind == FOLDER:
        return True
    if kind:
        raise ImageError(f"{name}: {kind}; give the path of a file or of a folder with a DICOM series")
    if not os.access(path, os.R_OK):
        raise ImageError(f"{name}: cannot be read: Permission denied; give a file that you may read")
    return False
