# SPDX-License-Identifier: Apache-2.0
"""What turns a volume into descriptors: the network, or whatever stands in its place."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from disa.network.models import find_model, fingerprint
from disa.network.providers import GPU
from disa.network.session import first_provider, network_fingerprint, network_metadata, run_network
from disa.network.traits import Traits, traits_of

FloatArray = npt.NDArray[np.float32]


class Describer(Protocol):
    """Descriptors of volumes. Strides are 4, 2 or 1."""

    def traits(self, stride: int) -> Traits:
        """What it wants of an image, and how its descriptors count."""

    def identity(self, stride: int) -> Hashable:
        """What tells its descriptors from those of another one, for caches."""

    def fingerprint(self, stride: int) -> str | None:
        """8 hexadecimal digits; descriptors of two fingerprints are not compared. None: unknown."""

    def describe(self, volume: FloatArray, stride: int) -> FloatArray:
        """Descriptors of a volume.

        Args:
            volume: shape (z, y, x), normalised as the traits say.
            stride: voxels between descriptors, the first lies at the first voxel.

        Returns:
            Shape (z', y', x', 16) with z' = ceil(z / stride), norms of 1 or less.
        """


@dataclass(frozen=True)
class Network:
    """A model through ONNX Runtime. Methods raise ModelError where it is missing or does not run.

    Attributes:
        model: name of a shipped model or path of an .onnx file.
        providers: ONNX Runtime execution providers, best first; None or empty: as is available.
    """

    model: str | os.PathLike[str] = "disa-lc2"
    providers: Sequence[str] | None = None

    def traits(self, stride: int) -> Traits:
        path = self._path(stride)
        return traits_of(network_metadata(path, stride, self.providers), path)

    def identity(self, stride: int) -> Hashable:
        return fingerprint(self._path(stride)), stride, first_provider(self.providers)

    def fingerprint(self, stride: int) -> str | None:
        return network_fingerprint(self._path(stride), stride, self.providers)

    def describe(self, volume: FloatArray, stride: int) -> FloatArray:
        return run_network(volume, self._path(stride), stride, self.providers)

    def _path(self, stride: int) -> Path:
        return find_model(self.model, stride, first_provider(self.providers) == GPU)
