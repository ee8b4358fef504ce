# SPDX-License-Identifier: Apache-2.0
"""Somebody's network, tried on volumes before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from disa.errors import ModelError
from disa.network.child_trial import try_in_child
from disa.network.providers import CPU
from disa.network.session import open_unsealed
from disa.network.strides import STRIDES

FloatArray = npt.NDArray[np.float32]

TRIED = (33, 38, 35)
"""Voxels of the first volume that a network is tried on; no two alike, no multiple of 4."""

MULTIPLES = (1, 4, 8, 16, 32)
"""Of voxels a side that a network may need; it is tried with the first, then with the others."""


@dataclass(frozen=True)
class Layout:
    """How a network's output lies.

    Attributes:
        channel_axis: of the output; the other axes are the batch, if there are five, and z, y, x.
        axes: of the output, 5 or 4.
        channels: how many.
        multiple: voxels that a side must be a multiple of.
    """

    channel_axis: int
    axes: int
    channels: int
    multiple: int


class Trial:
    """A network in a session of its own on the processor."""

    def __init__(self, path: Path, source: onnx.ModelProto, stride: int) -> None:
        """
        Args:
            path: what messages call it.
            source: as `read_source` gives it.
            stride: voxels between its outputs.

        Raises:
            ModelError: ONNX Runtime does not read it, or its outputs do not lie as they should.
        """
        self._path, self._stride = path, stride
        content = source.SerializeToString()
        try_in_child(content, path, (CPU,))
        self._session = open_unsealed(content, path, (CPU,))
        kind = source.graph.input[0].type.tensor_type.elem_type
        self._kind = helper.tensor_dtype_to_np_dtype(kind)
        self.layout = self._find_layout()

    def outputs(self, volume: FloatArray) -> FloatArray:
        """Of a volume (z, y, x), channels last: (ceil(z / stride), ..., C), float32.

        Raises:
            ModelError: it fails, or gives what is not finite or of another shape.
        """
        layout = self.layout
        padded = _padded(volume, layout.multiple)
        found = self._run(padded)
        if _channel_axis(found.shape, self._cells(padded.shape)) != layout.channel_axis:
            raise ModelError(
                f"{self._path}: gave {found.shape} for {_by(volume.shape)} voxels; expected {layout.channels} channels "
                f"of {_by(self._cells(volume.shape))} cells"
            )
        values = np.moveaxis(found, layout.channel_axis, -1).astype(np.float32)
        values = values[0] if layout.axes == 5 else values
        if not np.isfinite(values).all():
            raise ModelError(f"{self._path}: gave NaN or infinity for {_by(volume.shape)} voxels; expected numbers")
        return values[tuple(slice(n) for n in self._cells(volume.shape))]

    def _find_layout(self) -> Layout:
        volume = np.random.default_rng(0).normal(size=TRIED).astype(np.float32)
        said: list[ModelError] = []
        for multiple in MULTIPLES:
            padded = _padded(volume, multiple)
            try:
                found = self._run(padded)
            except ModelError as error:
                said.append(error)
                continue
            axis = _channel_axis(found.shape, self._cells(padded.shape))
            if axis is not None:
                return Layout(axis, found.ndim, found.shape[axis], multiple)
            said.append(ModelError(self._misfit(padded.shape, found.shape)))
        raise said[-1]

    def _misfit(self, given: Sequence[int], found: Sequence[int]) -> str:
        z, y, x = self._cells(given)
        text = (
            f"{self._path}: gave {tuple(found)} for {_by(given)} voxels; expected (1, C, {z}, {y}, {x}) or "
            f"(1, {z}, {y}, {x}, C), as stride {self._stride} has it"
        )
        fits = [s for s in STRIDES if _channel_axis(found, [-(-n // s) for n in given]) is not None]
        return f"{text}; its stride is {fits[0]}" if fits else text

    def _cells(self, sizes: Sequence[int]) -> list[int]:
        return [-(-n // self._stride) for n in sizes]

    def _run(self, volume: FloatArray) -> npt.NDArray[Any]:
        try:
            found = self._session.run(None, {self._session.get_inputs()[0].name: volume[None, None].astype(self._kind)})
        except Exception as error:  # noqa: BLE001 (ONNX Runtime's own, which share no base)
            line = " ".join(str(error).split())[:200]
            raise ModelError(f"{self._path}: failed on {_by(volume.shape)} voxels: {line}") from None
        return np.asarray(found[0])


def _channel_axis(found: Sequence[int], cells: Sequence[int]) -> int | None:
    """Where the channels are in an output's shape; None: it is of another kind."""
    rest, cells = list(found), list(cells)
    if len(rest) == 5 and rest[0] == 1:
        return next((axis for axis in (1, 4) if rest[1:axis] + rest[axis + 1 :] == cells), None)
    if len(rest) == 4:
        return next((axis for axis in (0, 3) if rest[:axis] + rest[axis + 1 :] == cells), None)
    return None


def _padded(volume: FloatArray, multiple: int) -> FloatArray:
    return np.pad(volume, [(0, -n % multiple) for n in volume.shape], mode="edge")


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))
