"""Descriptors of whole images kept in a folder, so that the processes of a cohort run the network once for each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import SimpleITK as sitk

import disa
from disa.core import FeatureVolume
from disa.errors import ImageError
from disa.io.locking import locked

_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Within the block, descriptors that `stored` is asked for are taken from a folder, or made and kept there."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def stored(image: sitk.Image, request: Sequence[object], make: Callable[[], FeatureVolume]) -> FeatureVolume:
    """Descriptors of an image: those kept for the same pixels, frame and request, or new ones.

    What comes from the folder is what `make` gave, bit for bit. A damaged file is made anew. Of several processes that
    ask at once, one makes them and the others wait.

    Args:
        image: as the network is to see it.
        request: all else that the descriptors depend on; told apart by their `repr`.
        make: gives the descriptors where they are not kept.
    """
    folder = _folder.get()
    if folder is None:
        return make()
    path = folder / f"{_key(image, request)}.disa"
    with locked(path.with_suffix(".lock")):
        try:
            return FeatureVolume.load(path)
        except ImageError:
            features = make()
            features.save(path)
            return features


def _key(image: sitk.Image, request: Sequence[object]) -> str:
    digest = hashlib.blake2b(np.ascontiguousarray(sitk.GetArrayViewFromImage(image)).data, digest_size=16)
    frame = (image.GetSize(), image.GetOrigin(), image.GetSpacing(), image.GetDirection())
    digest.update(repr((disa.__version__, frame, *request)).encode())
    return digest.hexdigest()
