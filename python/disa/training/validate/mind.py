"""MIND-SSC, the hand-made descriptor that DISA's are measured against (Heinrich et al., MICCAI 2013)."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional

#: Limits of the local variance estimate, as shares of its mean over the volume.
VARIANCE_LIMITS = (1e-3, 1e3)


def mind_ssc(volume: Tensor, radius: int = 2, distance: int = 2) -> Tensor:
    """Self-similarity context at every voxel.

    A channel compares the patches around two of the six face neighbours that are not opposite each other.

    Args:
        volume: shape (z, y, x).
        radius: half the side in voxels of the compared patches.
        distance: voxels from the centre to the six neighbours.

    Returns:
        Shape (z, y, x, 12), values in (0, 1], the largest of each voxel 1. Borders see the volume continued.
    """
    reach = distance + radius
    padded = functional.pad(volume[None, None], (reach,) * 6, mode="replicate")[0, 0]
    neighbours = [tuple(sign * distance * (axis == a) for a in range(3)) for axis in range(3) for sign in (-1, 1)]
    z, y, x = (n + 2 * radius for n in volume.shape)

    def shifted(by: tuple[int, ...]) -> Tensor:
        first = [distance + b for b in by]
        return padded[first[0] : first[0] + z, first[1] : first[1] + y, first[2] : first[2] + x]

    pairs = [(a, b) for a, b in combinations(neighbours, 2) if any(p + q for p, q in zip(a, b, strict=True))]
    squares = torch.stack([(shifted(a) - shifted(b)).square() for a, b in pairs])
    distances = functional.avg_pool3d(squares[:, None], 2 * radius + 1, stride=1)[:, 0]
    distances = distances - distances.amin(dim=0)
    variance = distances.mean(dim=0)
    low, high = (limit * float(variance.mean()) for limit in VARIANCE_LIMITS)
    return torch.exp(-distances / variance.clamp(low, high)).permute(1, 2, 3, 0)
