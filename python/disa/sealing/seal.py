# SPDX-License-Identifier: Apache-2.0
"""`disa seal`: a model of this project out of any ONNX network with one output a cell."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

from disa.errors import ModelError
from disa.io.images import ImageLike
from disa.network.gpu import CHANNELS
from disa.network.models import fingerprint
from disa.network.providers import CPU
from disa.network.session import open_session, run_network
from disa.network.strides import DERIVED
from disa.sealing.graph import sealed_model, write_model
from disa.sealing.options import SealOptions
from disa.sealing.projection import Projection, fit_projection
from disa.sealing.samples import Sample, samples_of
from disa.sealing.source import read_source
from disa.sealing.trial import TRIED, Layout, Trial
from disa.sealing.wrapping import wrapped

FloatArray = npt.NDArray[np.float32]

WHOLE = "whole volume"
"""A receptive field that no slab can hold; such a network sees each volume in one piece."""

FIELD_SIZE = 96
"""Voxels a side of the volume that the receptive field is measured in, so that fields of up to 88 are found."""

LEAST_CHANGE = 1e-6
"""Of a descriptor that is seen to depend on what was changed."""

TOLERANCE = 1e-3
"""Between the model's descriptors and those computed from the network's outputs."""


@dataclass(frozen=True)
class Sealed:
    """What was made, and what was measured.

    Attributes:
        path: of the model.
        channels: of the network.
        kept: share of their variance that the 16 channels keep.
        receptive_field: voxels a side that a descriptor depends on at most, or "whole volume".
        multiple: voxels that volumes are padded to a multiple of.
    """

    path: Path
    channels: int
    kept: float
    receptive_field: str
    multiple: int


def seal(
    network: str | os.PathLike[str],
    output: str | os.PathLike[str],
    volumes: Sequence[ImageLike] = (),
    options: SealOptions | None = None,
) -> Sealed:
    """Write a model that every door of this package takes as `model=`.

    The network is tried first. Its channels are then centred, brought to 16 and scaled in the graph, by what it gives
    on the volumes. The file appears only once it gives the descriptors that NumPy makes of the network's own output.

    Args:
        network: an .onnx file; one input (1, 1, z, y, x) of any size, one output (1, C, cells) or (1, cells, C), with
            cells ceil(z / stride), ceil(y / stride), ceil(x / stride).
        output: the .onnx file to write.
        volumes: images that are typical of what will be registered; needed where there are more than 16 channels.
            None: a made-up volume.
        options: the network's stride, spacing and normalisation, and what the file says of it.

    Raises:
        ModelError: the network cannot be a model, or the file cannot be written; one line says why.
        ImageError: a volume cannot be used.
    """
    network, output = Path(network), Path(output)
    options = SealOptions() if options is None else options
    _check_output(network, output)
    source = read_source(network)
    trial = Trial(network, source, options.stride)
    if trial.layout.channels > CHANNELS and not volumes:
        raise ModelError(
            f"{network}: {trial.layout.channels} channels, expected {CHANNELS} or fewer; give volumes from which to "
            f"learn a projection to {CHANNELS}"
        )
    projection = _fitted(network, trial, samples_of(volumes, options))
    model = wrapped(source, options.stride, trial.layout, projection)
    about = _about(network, output, model, trial.layout, options)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / output.name
        draft.write_bytes(sealed_model(model, about))
        _compare(network, draft, trial, projection, options.stride)
        about["receptive_field"] = field = _receptive_field(draft, trial.layout, options.stride)
        write_model(sealed_model(model, about), output)
    open_session.cache_clear()
    fingerprint.cache_clear()
    return Sealed(output, trial.layout.channels, projection.kept, field, trial.layout.multiple)


def _check_output(network: Path, output: Path) -> None:
    if output.suffix != ".onnx":
        raise ModelError(f"{output}: expected a name that ends with .onnx")
    if output.resolve() == network.resolve():
        raise ModelError(f"{output}: is the network itself; expected another file to write")
    if not output.parent.is_dir():
        raise ModelError(f"{output}: cannot be written: no such folder")


def _fitted(network: Path, trial: Trial, samples: Sequence[Sample]) -> Projection:
    outputs = [trial.outputs(sample.volume) for sample in samples]
    projection = fit_projection(outputs, [sample.weights for sample in samples])
    if projection is None:
        raise ModelError(f"{network}: gave the same for every place; expected a network whose output depends on it")
    return projection


def _about(network: Path, output: Path, model: onnx.ModelProto, layout: Layout, options: SealOptions) -> dict[str, str]:
    return {
        "name": options.name or output.stem.rsplit("-stride", 1)[0],
        "version": options.version,
        "stride": str(options.stride),
        "other_strides": DERIVED,
        "precision": "as the network's",
        "channels": str(CHANNELS),
        "spacing_mm": f"{options.spacing:g}",
        "receptive_field": WHOLE,
        "normalisation": options.normalisation.value,
        "made_from": f"{network.name}, {layout.channels} channels",
        "training_data": options.training_data,
        "licence": options.licence,
        "weights_sha256": hashlib.sha256(model.graph.SerializeToString(deterministic=True)).hexdigest(),
    }


def _compare(network: Path, draft: Path, trial: Trial, projection: Projection, stride: int) -> None:
    """Refuse a model whose descriptors are not those of the network's own outputs."""
    volume = np.random.default_rng(1).normal(size=TRIED).astype(np.float32)
    found = run_network(volume, draft, stride, [CPU])
    difference = float(np.abs(found - projection(trial.outputs(volume))).max())
    if not difference <= TOLERANCE:
        raise ModelError(f"{network}: not sealed, the model differs from the network by {difference:.2g}")


def _receptive_field(draft: Path, layout: Layout, stride: int) -> str:
    """Voxels a side at most, by what a change in the middle of a volume changes."""
    if layout.multiple > 4:
        return WHOLE
    volume = np.random.default_rng(2).normal(size=(FIELD_SIZE,) * 3).astype(np.float32)
    changed = volume.copy()
    first, last = FIELD_SIZE // 2 - 2, FIELD_SIZE // 2 + 1
    changed[(slice(first, last + 1),) * 3] += 20 * np.random.default_rng(3).random((4, 4, 4), np.float32)
    one, other = (run_network(of, draft, stride, [CPU]) for of in (volume, changed))
    cells = stride * np.argwhere((np.abs(one - other) > LEAST_CHANGE).any(axis=-1))
    if cells.size == 0 or cells.min() == 0 or cells.max() > FIELD_SIZE - 1 - stride:
        return WHOLE
    return str(2 * int(max(first - cells.min(), cells.max() - last) + stride - 1) + 1)
