"""The paper's pairs of patches, for validation: python -m disa.training.validate.paper_pairs CACHE -o PAIRS.csv --help.

For a pair of volumes (M, F), unregistered: a patch of M in proportion to its weight w, its similarity to all patches
of F, t uniform in [0, 1], and the patch of F whose similarity is closest to t (DISA paper, section 3, "Patch Sampling
from Unregistered Datasets"). Training supervises all pairs of two crops instead.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from itertools import permutations
from pathlib import Path

import numpy as np
import torch

from disa.errors import ConfigError
from disa.training.data.volumes import Volume, load_cache, of_split
from disa.training.targets.boxes import local_variance
from disa.training.targets.lc2 import MARGIN
from disa.training.targets.lc2_map import PatchSearch, cut_patch

WRITER = "write it with python -m disa.training.validate.paper_pairs"


@dataclass(frozen=True)
class PatchPair:
    """Two patches and their similarity.

    Attributes:
        moving, fixed: names of the volumes M and F.
        moving_z, moving_y, moving_x, fixed_z, fixed_y, fixed_x: voxels at the patches' middles.
        explains: "moving" or "fixed", the side whose intensity and gradient explain the other; drawn for each pair.
        lc2: the similarity.
    """

    moving: str
    fixed: str
    moving_z: int
    moving_y: int
    moving_x: int
    fixed_z: int
    fixed_y: int
    fixed_x: int
    explains: str
    lc2: float

    @property
    def moving_at(self) -> tuple[int, int, int]:
        """Voxel (z, y, x) of M."""
        return self.moving_z, self.moving_y, self.moving_x

    @property
    def fixed_at(self) -> tuple[int, int, int]:
        """Voxel (z, y, x) of F."""
        return self.fixed_z, self.fixed_y, self.fixed_x


def sample_pairs(moving: Volume, fixed: Volume, count: int, random: np.random.Generator) -> list[PatchPair]:
    """`count` pairs of one pair of volumes, by the paper's four steps."""
    inner = (slice(MARGIN, -MARGIN),) * 3
    weight = local_variance(moving.data[None])[0][inner].double().cpu().numpy()
    search = PatchSearch(fixed.data)
    pairs = []
    for flat in random.choice(weight.size, count, p=weight.ravel() / weight.sum()):
        moving_at = _voxel(int(flat), weight.shape)
        explains = "moving" if random.uniform() < 0.5 else "fixed"
        patch = cut_patch(moving.data, moving_at)
        values = search.explained_by(patch) if explains == "moving" else search.explains(patch[0])
        nearest = int((values - random.uniform()).abs().argmin())
        fixed_at = _voxel(nearest, values.shape)
        lc2 = round(float(values.flatten()[nearest]), 5)
        pairs.append(PatchPair(moving.info.name, fixed.info.name, *moving_at, *fixed_at, explains, lc2))
    return pairs


def _voxel(flat: int, inner: tuple[int, ...]) -> tuple[int, int, int]:
    """Voxel (z, y, x) of a volume from a flat index into what is left without its margin."""
    z, y, x = (int(i) + MARGIN for i in np.unravel_index(flat, inner))
    return z, y, x


def aligned_pairs(volumes: Iterable[Volume]) -> list[tuple[Volume, Volume]]:
    """All ordered pairs of two volumes of one group; the sampling does not use their alignment."""
    return [(m, f) for m, f in permutations(volumes, 2) if m.info.group and m.info.group == f.info.group]


def save_pairs(pairs: list[PatchPair], path: Path) -> None:
    """Write pairs as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(PatchPair)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(pair) for pair in pairs)


def load_pairs(path: Path) -> list[PatchPair]:
    """Read pairs from CSV.

    Raises:
        ConfigError: the file cannot be read or is not one that `save_pairs` wrote.
    """
    try:
        with path.open(newline="") as file:
            return [
                PatchPair(
                    moving=row["moving"],
                    fixed=row["fixed"],
                    explains=row["explains"],
                    lc2=float(row["lc2"]),
                    **{name: int(row[name]) for name in row if name[-2:] in ("_z", "_y", "_x")},
                )
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; {WRITER}") from None
    except (KeyError, TypeError, ValueError, csv.Error):
        raise ConfigError(f"{path}: not a table of patch pairs; {WRITER}") from None


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path, help="file written by disa.training.data.prepare")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--split", default="validation", choices=["validation", "evaluation"])
    parser.add_argument("--subjects", default="", help="only subjects that begin so")
    parser.add_argument("--count", type=int, default=100, help="pairs of patches an ordered pair of volumes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()

    volumes = load_cache(arguments.cache, torch.device(arguments.device))
    chosen = of_split(volumes, arguments.split, arguments.subjects)
    random = np.random.default_rng(arguments.seed)
    pairs = [pair for two in aligned_pairs(chosen) for pair in sample_pairs(*two, arguments.count, random)]
    save_pairs(pairs, arguments.output)
    print(f"{len(pairs)} pairs of patches -> {arguments.output}")


if __name__ == "__main__":
    main()
