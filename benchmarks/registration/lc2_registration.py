# SPDX-License-Identifier: Apache-2.0
"""Registration by full LC² and BOBYQA, as in Wein et al., MICCAI 2013, and Fuerst et al., Medical Image Analysis 2014.

Needs PyTorch and NLopt.
"""

from __future__ import annotations

from typing import NamedTuple

import nlopt
import numpy as np
import SimpleITK as sitk
import torch
from pairs import Pair
from torch import Tensor

from disa.features.field_of_view import extend_beyond, is_blank_beyond
from disa.features.network_grid import covering_grid
from disa.features.preparation import normalize, smooth_for
from disa.features.weights import local_variance
from disa.geometry.grid import Grid
from disa.training.targets.lc2 import CONSTANT, MARGIN, RADII, closed_form
from disa.training.targets.patches import gradient_magnitude

LEVELS = ((4.0, 12.0), (2.0, 4.0))
"""Spacing of both images and first step of the optimiser, mm, level by level. Of 12 starts 25 to 75 mm off on three
CT/T1 pairs of the training data 9 ended below 15 mm, as many with a first step of 25 mm; 9 of 11 with a level at 8 mm
before these, and at 2 mm alone, in nearly twice the time."""

POSITION_STRIDE = 4
"""Voxels between the positions of patches, along each axis."""

TOLERANCE = 0.1
"""mm; a smaller trust region ends a level."""

EVALUATIONS = 200
"""At most, a level."""

LARGEST = (60.0, 150.0)
"""Degrees and mm about the start that the optimiser stays within."""


class Moments(NamedTuple):
    """Local means at the positions, over each radius: image, gradient magnitude, their squares and product."""

    i: Tensor
    g: Tensor
    ii: Tensor
    gg: Tensor
    ig: Tensor


class LC2:
    """Weighted mean of LC² over patches about every fourth voxel of the fixed image, under a transform.

    Each image explains the other, and both are averaged, as in DISA's training; three radii, as there. A position
    weighs the fixed image's local variance, and gives 0 where the transform takes it outside of the moving image, as in
    DISA. So does the fixed image go on beyond its field of view.

    Args:
        pair: the images.
        spacing: mm between the voxels that are compared.
    """

    def __init__(self, pair: Pair, spacing: float) -> None:
        self.grid = covering_grid(Grid.of(pair.fixed), spacing)
        fixed = self.grid.linear(normalize(smooth_for(_extended(pair), spacing)), is_continued=True)
        positions = tuple(slice(MARGIN, n - MARGIN, POSITION_STRIDE) for n in self.grid.size[::-1])
        weights = local_variance(fixed)[positions] * self._inside(_ones(pair.fixed), sitk.Transform())
        if pair.fixed_mask is not None:
            weights *= self._inside(pair.fixed_mask, sitk.Transform())
        self._weights = torch.from_numpy(weights)
        self._averages = [
            torch.stack([_averages(n, p, radius) for radius in RADII])
            for n, p in zip(self.grid.size[::-1], positions, strict=True)
        ]
        self._moving = normalize(smooth_for(pair.moving, spacing))
        self._low = float(sitk.GetArrayFromImage(self._moving).min())
        self._seen = _ones(pair.moving) if pair.moving_mask is None else pair.moving_mask
        self._fixed = torch.from_numpy(sitk.GetArrayFromImage(fixed))
        self._fixed_gradient = gradient_magnitude(self._fixed[None])[0]
        self._fixed_moments = self._moments(self._fixed, self._fixed_gradient)
        self.evaluations = 0

    def __call__(self, transform: sitk.Transform) -> float:
        """Between 0 and 1, higher is better."""
        self.evaluations += 1
        seen = torch.from_numpy(self._inside(self._seen, transform))
        if not bool((seen * self._weights).any()):
            return 0.0
        a, ga = self._fixed, self._fixed_gradient
        b = torch.from_numpy(self._moved(transform))
        gb = gradient_magnitude(b[None])[0]
        fixed, moving = self._fixed_moments, self._moments(b, gb)
        ab, a_gb, b_ga = self._means(torch.stack([a * b, a * gb, b * ga]))
        both = 0.5 * (_explained(moving, fixed, ab, a_gb) + _explained(fixed, moving, ab, b_ga))
        return float((self._weights * seen * both.mean(dim=0)).sum() / self._weights.sum())

    def _moved(self, transform: sitk.Transform) -> np.ndarray:
        """The moving image on the fixed grid."""
        return sitk.GetArrayFromImage(self.grid.linear(self._moving, transform, beyond=self._low))

    def _inside(self, mask: sitk.Image, transform: sitk.Transform) -> np.ndarray:
        """1 at the positions that a transform takes into a mask, else 0."""
        return self.grid.padded(-MARGIN).every(POSITION_STRIDE).nearest(mask, transform).astype(np.float32)

    def _moments(self, image: Tensor, gradient: Tensor) -> Moments:
        products = (image, gradient, image * image, gradient * gradient, image * gradient)
        return Moments(*self._means(torch.stack(products)))

    def _means(self, volumes: Tensor) -> Tensor:
        """Means over the cubes about the positions: (n, z, y, x) to (n, radii, positions)."""
        az, ay, ax = self._averages
        means = volumes @ ax.flatten(0, 1).T  # one product for all radii
        means = means.unflatten(-1, ax.shape[:2]).movedim(-2, 1)
        return torch.einsum("rpz,nrzyx->nrpyx", az, ay[:, None] @ means)


def _explained(by: Moments, what: Moments, product: Tensor, gradient_product: Tensor) -> Tensor:
    """LC² of one image explained by the other's intensity and gradient, shape (radii, positions)."""
    return closed_form(
        variances=(by.ii - by.i * by.i, by.gg - by.g * by.g, by.ig - by.i * by.g),
        means=(by.i, by.g),
        products=(
            product - by.i * what.i + CONSTANT * by.i * what.i,
            gradient_product - by.g * what.i + CONSTANT * by.g * what.i,
        ),
        mean_b=what.i,
        variance_b=what.ii - what.i * what.i,
    )


def _averages(size: int, positions: slice, radius: int) -> Tensor:
    """Matrix (positions, size) that takes means over 2 radius + 1 voxels about each position."""
    matrix = torch.zeros(len(range(size)[positions]), size)
    for row, position in zip(matrix, range(size)[positions], strict=True):
        row[position - radius : position + radius + 1] = 1 / (2 * radius + 1)
    return matrix


def _extended(pair: Pair) -> sitk.Image:
    """The fixed image, beyond its mask as DISA sees it."""
    mask = pair.fixed_mask
    ends = mask is not None and pair.moving_mask is None and is_blank_beyond(pair.fixed, mask)
    return extend_beyond(pair.fixed, mask) if ends else pair.fixed


def _ones(image: sitk.Image) -> sitk.Image:
    return sitk.Cast(image * 0 + 1, sitk.sitkUInt8)


def register(pair: Pair, pose: sitk.Euler3DTransform) -> tuple[sitk.Euler3DTransform, int]:
    """From a pose, level by level; the transform and how often LC² was evaluated."""
    evaluations = 0
    corners = np.asarray(pair.fixed.GetSize()) * np.asarray(pair.fixed.GetSpacing())
    arm = float(np.linalg.norm(corners)) / 4
    for spacing, step in LEVELS:
        similarity = LC2(pair, spacing)
        pose = optimize(similarity, pose, arm, step)
        evaluations += similarity.evaluations
    return pose, evaluations


def optimize(similarity: LC2, pose: sitk.Euler3DTransform, arm: float, step: float) -> sitk.Euler3DTransform:
    """BOBYQA over three angles, times an arm in mm, and a translation."""
    scales = np.array([1 / arm] * 3 + [1.0] * 3)
    start = np.asarray(pose.GetParameters()) / scales
    found = sitk.Euler3DTransform(pose)

    def value(parameters: np.ndarray, _: np.ndarray) -> float:
        found.SetParameters((parameters * scales).tolist())
        return similarity(found)

    reach = np.array([np.deg2rad(LARGEST[0]) * arm] * 3 + [LARGEST[1]] * 3)
    optimizer = nlopt.opt(nlopt.LN_BOBYQA, 6)
    optimizer.set_max_objective(value)
    optimizer.set_lower_bounds(start - reach)
    optimizer.set_upper_bounds(start + reach)
    optimizer.set_initial_step(step)
    optimizer.set_xtol_abs(TOLERANCE)
    optimizer.set_maxeval(EVALUATIONS)
    try:
        end = optimizer.optimize(start)
    except nlopt.RoundoffLimited:
        end = start
    found.SetParameters((np.asarray(end) * scales).tolist())
    return found
