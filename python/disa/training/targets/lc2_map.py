"""LC² of one patch with the patches at every position of a volume, through Fourier transforms.

`lc2.lc2_matrix` compares many patches with many; this compares one with all, as the paper's sampling of
pairs needs. Both are the same LC².
"""

from __future__ import annotations

import torch
from torch import Tensor

from disa.training.targets.boxes import box_mean
from disa.training.targets.lc2 import CONSTANT, MARGIN, RADII, closed_form
from disa.training.targets.patches import gradient_magnitude


class PatchSearch:
    """One volume's side of the comparison, its sums and spectra computed once.

    Args:
        volume: shape (z, y, x), zero mean and unit standard deviation, sides of at least 2 MARGIN + 1.
    """

    def __init__(self, volume: Tensor) -> None:
        self._intensity = volume.double()
        self._gradient = gradient_magnitude(volume[None])[0].double()
        self._shape = volume.shape
        self._spectra = {id(x): torch.fft.rfftn(x) for x in (self._intensity, self._gradient)}
        products = {
            "i": self._intensity,
            "g": self._gradient,
            "ii": self._intensity.square(),
            "gg": self._gradient.square(),
            "ig": self._intensity * self._gradient,
        }
        self._means = {r: {name: inner_mean(p, r) for name, p in products.items()} for r in RADII}

    def explained_by(self, patch: Tensor) -> Tensor:
        """LC² of every patch of this volume explained by one patch of another, its intensity and its gradient.

        Args:
            patch: shape (2, side, side, side): intensity and gradient magnitude of the largest radius.

        Returns:
            Shape of the volume less MARGIN voxels on every side, in [0, 1].
        """
        values = []
        for radius in RADII:
            i, g = (_trim(x.double(), radius) for x in patch)
            mean_i, mean_g = i.mean(), g.mean()
            means = self._means[radius]
            mean_b = means["i"]
            values.append(
                closed_form(
                    variances=(
                        (i - mean_i).square().mean(),
                        (g - mean_g).square().mean(),
                        ((i - mean_i) * (g - mean_g)).mean(),
                    ),
                    means=(mean_i, mean_g),
                    products=(
                        self._correlate(self._intensity, i - mean_i) + CONSTANT * mean_i * mean_b,
                        self._correlate(self._intensity, g - mean_g) + CONSTANT * mean_g * mean_b,
                    ),
                    mean_b=mean_b,
                    variance_b=means["ii"] - means["i"].square(),
                )
            )
        return torch.stack(values).mean(dim=0).float()

    def explains(self, patch: Tensor) -> Tensor:
        """LC² of one patch of another volume explained by every patch of this one, intensity and gradient.

        Args:
            patch: shape (side, side, side), intensity of the largest radius.

        Returns:
            Shape of the volume less MARGIN voxels on every side, in [0, 1].
        """
        values = []
        for radius in RADII:
            b = _trim(patch.double(), radius)
            mean_b = b.mean()
            means = self._means[radius]
            values.append(
                closed_form(
                    variances=(
                        means["ii"] - means["i"].square(),
                        means["gg"] - means["g"].square(),
                        means["ig"] - means["i"] * means["g"],
                    ),
                    means=(means["i"], means["g"]),
                    products=(
                        self._correlate(self._intensity, b - mean_b) + CONSTANT * means["i"] * mean_b,
                        self._correlate(self._gradient, b - mean_b) + CONSTANT * means["g"] * mean_b,
                    ),
                    mean_b=mean_b,
                    variance_b=(b - mean_b).square().mean(),
                )
            )
        return torch.stack(values).mean(dim=0).float()

    def _correlate(self, volume: Tensor, kernel: Tensor) -> Tensor:
        """Mean of kernel times the volume around every position."""
        spectrum = self._spectra[id(volume)] * torch.fft.rfftn(kernel, self._shape).conj()
        sums = torch.fft.irfftn(spectrum, self._shape) / kernel.numel()
        return _inner(sums, kernel.shape[0] // 2, corner=True)


def cut_patch(volume: Tensor, position: tuple[int, int, int]) -> Tensor:
    """Intensity and gradient magnitude around a voxel (z, y, x), shape (2, side, side, side)."""
    z, y, x = position
    around = volume[z - MARGIN : z + MARGIN + 1, y - MARGIN : y + MARGIN + 1, x - MARGIN : x + MARGIN + 1]
    both = torch.stack([around, gradient_magnitude(around[None])[0]])
    return both[:, 1:-1, 1:-1, 1:-1]


def _trim(patch: Tensor, radius: int) -> Tensor:
    cut = patch.shape[0] // 2 - radius
    inner = slice(cut, patch.shape[0] - cut)
    return patch[inner, inner, inner]


def _inner(values: Tensor, radius: int, corner: bool = False) -> Tensor:
    """Values of the positions MARGIN voxels away from all borders; with `corner`, at their patch's first voxel."""
    first = MARGIN - radius if corner else MARGIN
    z, y, x = (slice(first, first + n - 2 * MARGIN) for n in values.shape)
    return values[z, y, x]


def inner_mean(values: Tensor, radius: int) -> Tensor:
    """Means over the cubes around the positions MARGIN voxels away from all borders."""
    means = box_mean(values[None], radius)[0]
    trim = MARGIN - radius
    z, y, x = (slice(trim, n - trim) for n in means.shape)
    return means[z, y, x]
