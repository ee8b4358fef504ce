# SPDX-License-Identifier: Apache-2.0
"""Choosing what to compare: two volumes, two crop grids and the grid the network sees."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from disa.training.config import TrainingConfig
from disa.training.data.volumes import SPACING_MM, Volume
from disa.training.sampling.geometry import (
    CropGrid,
    random_axis_swap,
    random_rotation,
    random_turn,
)
from disa.training.targets.boxes import local_variance

CENTRES = 8192


@dataclass(frozen=True)
class CropPair:
    """One comparison.

    Attributes:
        fixed, moving: volumes.
        fixed_grid: grid of the fixed crop; the network sees this one.
        moving_grid: grid parallel to `fixed_grid` on which the moving patches are cut for LC².
        seen_grid: turned and shifted grid on which the network sees the moving volume.
        common: the two parallel grids coincide in a world space that the volumes share.
    """

    fixed: Volume
    moving: Volume
    fixed_grid: CropGrid
    moving_grid: CropGrid
    seen_grid: CropGrid
    common: bool

    @property
    def posed(self) -> bool:
        """Whether the right pose is known and does not lay one grid on the other.

        Such a pose would win whatever the crops show, for descriptors between cells are shorter than those at cells.
        """
        one, other = self.fixed_grid.affine, self.seen_grid.affine
        return self.common and not np.allclose(one, other, rtol=0, atol=1e-3)

    @property
    def tolerance(self) -> float:
        """Voxels of the grids by which the same anatomy may lie apart, where the volumes share a world space.

        The larger of the two volumes' own; a volume lies exactly on itself.
        """
        if self.fixed is self.moving:
            return 0.0
        voxel = float(np.cbrt(abs(np.linalg.det(self.fixed_grid.linear))))
        return max(self.fixed.info.tolerance, self.moving.info.tolerance) / voxel


def crop_centres(volume: Volume, random: np.random.Generator) -> NDArray[np.int64]:
    """Voxels (x, y, z) to centre crops on, more often where there is structure, shape (8192, 3)."""
    weight = local_variance(volume.data[None])[0].clamp(max=1).sqrt().cpu().double().numpy().ravel()
    chosen = random.choice(weight.size, CENTRES, p=weight / weight.sum())
    return np.stack(np.unravel_index(chosen, volume.data.shape)[::-1], axis=-1).astype(np.int64)


class PairSampler:
    """Draws crop pairs from volumes.

    Args:
        volumes: to draw from.
        config: shares of pair kinds and of augmentations.
        random: source of every choice.
    """

    def __init__(self, volumes: list[Volume], config: TrainingConfig, random: np.random.Generator) -> None:
        self._volumes = volumes
        self._config = config
        self.random = random
        self._centres = {v.info.name: crop_centres(v, random) for v in volumes}
        self._to_voxel = {v.info.name: np.linalg.inv(v.affine) for v in volumes}
        groups: dict[str, list[Volume]] = defaultdict(list)
        for volume in volumes:
            if volume.info.group:
                groups[volume.info.group].append(volume)
        self._aligned = [list(combinations(g, 2)) for g in groups.values() if len(g) > 1]
        # In proportion to pairs: a person with three volumes has three.
        share = np.array([len(pairs) for pairs in self._aligned], dtype=float)
        self._group_share = share / share.sum() if len(share) else share
        self._volume_share = self._shares([v.data.numel() for v in volumes])

    @staticmethod
    def _shares(voxels: list[int]) -> NDArray[np.float64]:
        share = np.cbrt(np.array(voxels, dtype=np.float64))
        return np.asarray(share / share.sum())

    def draw(self) -> CropPair:
        """One random pair."""
        kind = self.random.uniform()
        if kind < self._config.aligned_share and self._aligned:
            pairs = self._aligned[self.random.choice(len(self._aligned), p=self._group_share)]
            first, second = pairs[self.random.integers(len(pairs))]
            if self.random.uniform() < 0.5:
                first, second = second, first
            return self._pair(first, second, common=True)
        if kind < self._config.aligned_share + self._config.self_share:
            volume = self._any()
            return self._pair(volume, volume, common=True)
        return self._pair(self._any(), self._any(), common=False)

    def _any(self) -> Volume:
        return self._volumes[self.random.choice(len(self._volumes), p=self._volume_share)]

    def _centre(self, volume: Volume) -> NDArray[np.float64]:
        centres = self._centres[volume.info.name]
        voxel = centres[self.random.integers(len(centres))]
        return np.asarray(volume.affine[:3, :3] @ voxel + volume.affine[:3, 3])

    def _linear(self, volume: Volume) -> NDArray[np.float64]:
        """mm per crop voxel: the volume's own axes, swapped and flipped, or turned and zoomed."""
        own = volume.affine[:3, :3]
        if self.random.uniform() < self._config.native_share:
            return np.asarray(own @ random_axis_swap(self.random))
        limit = np.log(self._config.max_zoom)
        zoom = np.exp(self.random.uniform(-limit, limit))
        return np.asarray(SPACING_MM * zoom * random_rotation(self.random))

    def _pair(self, fixed: Volume, moving: Volume, common: bool) -> CropPair:
        size = self._config.crop_size
        linear = self._linear(fixed)
        smaller = fixed if fixed.data.numel() <= moving.data.numel() else moving
        origin = self._centre(smaller if common else fixed)
        fixed_grid = CropGrid(self._snapped(origin, fixed), linear, size)
        moving_origin = fixed_grid.origin if common else self._centre(moving)
        moving_grid = CropGrid(moving_origin, linear, size)
        turn, max_shift = np.eye(3), self._config.max_shift
        kind = self.random.uniform()
        if kind < self._config.turned_share:
            turn = random_turn(self.random, self._config.max_turn_degrees)
        elif kind >= 1 - self._config.unshifted_share:
            max_shift = 0.0
        shift = self.random.uniform(-1, 1, 3) * max_shift
        seen_grid = moving_grid.moved(turn, shift)
        return CropPair(fixed, moving, fixed_grid, moving_grid, seen_grid, common)

    def _snapped(self, origin: NDArray[np.float64], volume: Volume) -> NDArray[np.float64]:
        """The world position of the volume's voxel nearest to `origin`."""
        voxel = np.rint(self._to_voxel[volume.info.name] @ np.append(origin, 1.0))
        return np.asarray((volume.affine @ voxel)[:3])
