"""Error on the paper's pairs of patches: python -m disa.training.score_pairs WEIGHTS CACHE PAIRS.csv --help."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from disa.resampling import MARGIN
from disa.training.mind import mind_ssc
from disa.training.network import CHANNELS, DISANet, load_weights
from disa.training.paper_pairs import PatchPair, load_pairs
from disa.training.patches import local_variance
from disa.training.volumes import Volume, load_cache

Column = NDArray[np.float64]

TEXTURE = 0.1
"""Local variance above which a patch counts as textured; a normalised volume has 1 in all."""


def quantised(descriptors: Tensor) -> Tensor:
    """Descriptors through int8 with one scale for the volume, as features are stored."""
    scale = descriptors.abs().max().clamp_min(1e-6) / 127
    return (descriptors / scale).round() * scale


@torch.no_grad()
def descriptors_of(network: DISANet, volume: Volume) -> Tensor:
    """Descriptors at every voxel, shape (z, y, x, 16), by a stride-1 network that sees borders continued."""
    padded = functional.pad(volume.data[None, None], (MARGIN,) * 6, mode="replicate")
    inner = (slice(MARGIN, -MARGIN),) * 3
    return network(padded)[0].permute(1, 2, 3, 0)[inner]


def similarities(network: DISANet, volumes: dict[str, Volume], pairs: list[PatchPair]) -> tuple[Column, Column]:
    """Dot products of the pairs' descriptors, float and int8.

    Args:
        network: of stride 1.
        volumes: by name.
        pairs: of patches of these volumes.
    """
    read = np.empty((2, 2, len(pairs), CHANNELS))  # float or int8, moving or fixed
    for name in {pair.moving for pair in pairs} | {pair.fixed for pair in pairs}:
        dense = descriptors_of(network, volumes[name])
        for kind, descriptors in enumerate((dense, quantised(dense))):
            values = descriptors.cpu().numpy()
            for row, pair in enumerate(pairs):
                if pair.moving == name:
                    read[kind, 0, row] = values[pair.moving_at]
                if pair.fixed == name:
                    read[kind, 1, row] = values[pair.fixed_at]
    exact, coarse = (read[:, 0] * read[:, 1]).sum(axis=-1)
    return exact, coarse


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
    """Command line entry: mean squared error in float and int8, and correlations, for each pair of modalities.

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
    exact, coarse = similarities(network, volumes, pairs)
    mind = mind_similarities(volumes, pairs)
    target = np.array([pair.lc2 for pair in pairs])
    kinds = np.array([f"{volumes[p.moving].info.modality} / {volumes[p.fixed].info.modality}" for p in pairs])
    textured = fixed_is_textured(volumes, pairs)
    everywhere = np.ones_like(textured)
    print("| moving / fixed | pairs | error | error, int8 | correlation | of MIND-SSC |\n" + "|---" * 6 + "|")
    for note, chosen in (("", everywhere), (", F textured", textured)):
        for kind in [*dict.fromkeys(kinds.tolist()), "all"]:
            of_kind = chosen & ((kinds == kind) | (kind == "all"))
            p, q, m, t = exact[of_kind], coarse[of_kind], mind[of_kind], target[of_kind]
            print(
                f"| {kind}{note} | {of_kind.sum()} | {np.mean((p - t) ** 2):.4f} | {np.mean((q - t) ** 2):.4f} "
                f"| {np.corrcoef(p, t)[0, 1]:.3f} | {np.corrcoef(m, t)[0, 1]:.3f} |"
            )


if __name__ == "__main__":
    main()
