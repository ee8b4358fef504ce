# SPDX-License-Identifier: Apache-2.0
"""Descriptors of images that have been seen before: one memory of this process, one folder that processes share."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.errors import ImageError
from disa.geometry.pixels import pixels_of
from disa.io.locking import locked
from disa.io.writing import write_features

CAPACITY = 8
"""Volumes that the memory keeps, about 20 bytes a descriptor each; the one last asked for longest ago goes first."""

_memory: OrderedDict[str, FeatureVolume] = OrderedDict()
_guard = threading.Lock()
_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Within the block, descriptors that `cached` is asked for are taken from a folder, too, and kept there."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def clear() -> None:
    """Forget what the process remembers; folders stay."""
    with _guard:
        _memory.clear()


def digest_of(image: sitk.Image) -> str:
    """What tells an image from others: its pixels and its place. A copy has the same, a changed image has not."""
    digest = hashlib.blake2b(np.ascontiguousarray(pixels_of(image)).data, digest_size=16)
    digest.update(repr((image.GetSize(), image.GetOrigin(), image.GetSpacing(), image.GetDirection())).encode())
    return digest.hexdigest()


def cached(image: str, request: Hashable, make: Callable[[], FeatureVolume]) -> FeatureVolume:
    """Descriptors of an image: those kept for the same image and request, or new ones, bit for bit what `make` gives.

    Args:
        image: its digest, as the network is to see it.
        request: all else that the descriptors depend on; told apart by its `repr`.
        make: gives the descriptors where they are not kept.
    """
    key = hashlib.blake2b(repr((_core.__version__, image, request)).encode(), digest_size=16).hexdigest()
    with _guard:
        found = _memory.get(key)
        if found is not None:
            _memory.move_to_end(key)
            return found
    folder = _folder.get()
    features = make() if folder is None else _stored(folder / f"{key}.disa", make)
    with _guard:
        _memory[key] = features
        while len(_memory) > CAPACITY:
            _memory.popitem(last=False)
    return features


def _stored(path: Path, make: Callable[[], FeatureVolume]) -> FeatureVolume:
    """From a file, or made and written to it; a damaged file is made anew, and of several processes one makes it."""
    with locked(path.with_suffix(".lock")):
        try:
            return FeatureVolume.load(path)
        except ImageError:
            features = make()
            write_features(features, path)
            return features
