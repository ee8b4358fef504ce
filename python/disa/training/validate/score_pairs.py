"""Error on the paper's pairs of patches.

python -m disa.training.validate.score_pairs WEIGHTS CACHE PAIRS.csv --help
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from disa.features.network_grid import MARGIN
from disa.training.data.volumes import Volume, load_cache
from disa.training.model.network import CHANNELS, DISANet, load_weights
from disa.training.targets.boxes import local_variance
from disa.training.validate.mind import mind_ssc
from disa.training.validate.paper_pairs import PatchPair, load_pairs

Column = NDArray[np.float64]

TEXTURE = 0.1
"""Local variance above which a patch counts as textured; a normalised volume has 1 in all."""


def quantised(descriptors: Tensor) -> Tensor:
    """Descriptors through int8 with one scale for the volume, as features are stored."""
    scale = descriptors.abs().max().clamp_min(1e-6) / 127
    return (descriptors / scale).round() * scale


def between(values: NDArray[Any], at: tuple[int, int, int], stride: int) -> Column:
    """The descriptor at a voxel, read by trilinear interpolation from every `stride`th of them along each axis.

    Args:
        values: one a voxel, shape (z, y, x, 16).
        at: voxel (z, y, x).
        stride: voxels between those that are read; beyond the last one it is continued.
    """
    cells = values[::stride, ::stride, ::stride]
    for position in at:
        low, share = divmod(position / stride, 1)
        first, second = (min(int(low) + step, len(cells) - 1) for step in (0, 1))
        cells = (1 - share) * cells[first] + share * cells[second]
    return cells.astype(np.float64)


class Reading(NamedTuple):
    """How descriptors are stored and read.

    Attributes:
        name: for the table.
        int8: through 8 bits.
        moving_stride: of the moving ones, read between cells; fixed ones are at cells, so their stride is as good as 1.
    """

    name: str
    int8: bool = False
    moving_stride: int = 1


EXACT = Reading("error")
READINGS = (EXACT, Reading("int8", True), Reading("moving stride 2", True, 2), Reading("moving stride 4", True, 4))


@torch.no_grad()
def descriptors_of(network: DISANet, volume: Volume) -> Tensor:
    """Descriptors at every voxel, shape (z, y, x, 16), by a stride-1 network that sees borders continued."""
    padded = functional.pad(volume.data[None, None], (MARGIN,) * 6, mode="replicate")
    inner = (slice(MARGIN, -MARGIN),) * 3
    return network(padded)[0].permute(1, 2, 3, 0)[inner]


def similarities(
    network: DISANet, volumes: dict[str, Volume], pairs: list[PatchPair], readings: Sequence[Reading] = (EXACT,)
) -> Column:
    """Dot products of the pairs' descriptors, shape (readings, pairs).

    Args:
        network: of stride 1.
        volumes: by name.
        pairs: of patches of these volumes.
        readings: ways to read the descriptors.
    """
    moving, fixed = np.empty((2, len(readings), len(pairs), CHANNELS))
    for name in {pair.moving for pair in pairs} | {pair.fixed for pair in pairs}:
        dense = descriptors_of(network, volumes[name])
        for kind, reading in enumerate(readings):
            values = (quantised(dense) if reading.int8 else dense).cpu().numpy()
            for row, pair in enumerate(pairs):
                if pair.moving == name:
                    moving[kind, row] = between(values, pair.moving_at, reading.moving_stride)
                if pair.fixed == name:
                    fixed[kind, row] = values[pair.fixed_at]
    products: Column = (moving * fixed).sum(axis=-1)
    return products


def mind_similarities(volumes: dict[str, Volume], pairs: list[PatchPair]) -> Column:
    """The yardstick: mean squared difference of MIND-SSC, with its sign changed, so that more is more alike.

    Args:
        volumes: by name.
        pairs: of patches of these volumes.
    """
    names = {pair.moving for pair in pairs} | {pair.fixed for pair in pairs}
    descriptors = {name: mind_ssc(volumes[name].data).cpu().numpy() for name in names}
    return np.array(
        [
            -np.square(descriptors[p.moving][p.moving_at] - descriptors[p.fixed][p.fixed_at]).mean(dtype=np.float64)
            for p in pairs
        ]
    )


def fixed_is_textured(volumes: dict[str, Volume], pairs: list[PatchPair]) -> NDArray[np.bool_]:
    """Whether the fixed patch of each pair has texture; the moving one is drawn by it, so it nearly always has."""
    names = {pair.fixed for pair in pairs}
    variance = {name: local_variance(volumes[name].data[None])[0].cpu().numpy() for name in names}
    return np.array([variance[p.fixed][p.fixed_at] > TEXTURE for p in pairs])


def main() -> None:
    """Command line entry: mean squared error of each reading, and correlations, for each pair of modalities.

    Then the same of the pairs whose fixed patch has texture.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="file of averaged weights, disa-lc2.pt")
    parser.add_argument("cache", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()

    device = torch.device(arguments.device)
    volumes = {volume.info.name: volume for volume in load_cache(arguments.cache, device)}
    pairs = load_pairs(arguments.pairs)
    network = load_weights(arguments.weights, stride=1).to(device)
    products = similarities(network, volumes, pairs, READINGS)
    mind = mind_similarities(volumes, pairs)
    target = np.array([pair.lc2 for pair in pairs])
    kinds = np.array([f"{volumes[p.moving].info.modality} / {volumes[p.fixed].info.modality}" for p in pairs])
    textured = fixed_is_textured(volumes, pairs)
    everywhere = np.ones_like(textured)
    header = ["moving / fixed", "pairs", *(reading.name for reading in READINGS), "correlation", "of MIND-SSC"]
    print(f"| {' | '.join(header)} |\n" + "|---" * len(header) + "|")
    for note, chosen in (("", everywhere), (", F textured", textured)):
        for kind in [*dict.fromkeys(kinds.tolist()), "all"]:
            of_kind = chosen & ((kinds == kind) | (kind == "all"))
            p, m, t = products[:, of_kind], mind[of_kind], target[of_kind]
            errors = " | ".join(f"{error:.4f}" for error in np.mean((p - t) ** 2, axis=1))
            print(
                f"| {kind}{note} | {of_kind.sum()} | {errors} | {np.corrcoef(p[0], t)[0, 1]:.3f} "
                f"| {np.corrcoef(m, t)[0, 1]:.3f} |"
            )


if __name__ == "__main__":
    main()
