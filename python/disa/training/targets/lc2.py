# SPDX-License-Identifier: Apache-2.0
"""The training target: LC², the linear correlation of linear combination, between all pairs of patches.

LC² asks how well one image's patch is a linear combination of intensity, gradient magnitude and a
constant of the other's (Fuerst et al., Medical Image Analysis 2014; DISA paper, section 3). Here it is
computed between every patch of one set and every patch of another: the only terms that depend on both
sets are two covariances, which are two matrix products; the rest is a 2x2 solve in closed form.
"""

from __future__ import annotations

import torch
from torch import Tensor

from disa.training.targets.patches import PatchSet, centred

RADII = (3, 5, 7)
RIDGE = 1e-3
MIN_VARIANCE = 1e-2
#: Voxels that a position needs on every side: the largest patch plus one for the gradient.
MARGIN = max(RADII) + 1
#: Weight of the product of two means, once the constant regressor is eliminated.
CONSTANT = RIDGE / (1 + RIDGE)


def lc2_matrix(source: PatchSet, target: PatchSet) -> Tensor:
    """LC² of every target patch explained by every source patch, mean over the radii.

    Args:
        source: n patches of the largest radius with gradient, the regressors.
        target: m patches, what is explained.

    Returns:
        Shape (batch, n, m), values in [0, 1].

    Raises:
        ValueError: the source has no gradient.
    """
    values = [_lc2_of_radius(source, target, radius) for radius in RADII]
    return torch.stack(values).mean(dim=0)


def _lc2_of_radius(source: PatchSet, target: PatchSet, radius: int) -> Tensor:
    if source.gradient is None:
        raise ValueError("the source patches have no gradient")
    i, mean_i = centred(source.intensity, radius)
    g, mean_g = centred(source.gradient, radius)
    b, mean_b = centred(target.intensity, radius)
    count = b.shape[-1]
    bt, mean_bt = b.transpose(1, 2), mean_b.transpose(1, 2)
    return closed_form(
        variances=((i * i).mean(-1, True), (g * g).mean(-1, True), (i * g).mean(-1, True)),
        means=(mean_i, mean_g),
        products=(
            torch.baddbmm(CONSTANT * mean_i * mean_bt, i, bt, alpha=1 / count),
            torch.baddbmm(CONSTANT * mean_g * mean_bt, g, bt, alpha=1 / count),
        ),
        mean_b=mean_bt,
        variance_b=(b * b).mean(-1)[:, None],
    )


def closed_form(
    variances: tuple[Tensor, Tensor, Tensor],
    means: tuple[Tensor, Tensor],
    products: tuple[Tensor, Tensor],
    mean_b: Tensor,
    variance_b: Tensor,
) -> Tensor:
    """LC² of one radius from moments of the patches, of any shapes that broadcast.

    The ridge regression is over intensity i, gradient g and the constant, with E[.] + RIDGE * identity
    as normal matrix. Eliminating the constant leaves, with means m and covariances,
        H = cov + RIDGE * identity + c m m^T,   r = cov(., b) + c mean(b) m,   c = RIDGE / (1 + RIDGE)
        var(b) - residual = r^T H^-1 r - c mean(b)^2
    which needs no difference of large numbers.

    Args:
        variances: of i, of g, and the covariance of both.
        means: of i and g.
        products: r of i and of g, above.
        mean_b, variance_b: of what is explained.

    Returns:
        In [0, 1].
    """
    (var_i, var_g, cov_ig), (mean_i, mean_g), (r_i, r_g) = variances, means, products
    h_ii = var_i + RIDGE + CONSTANT * mean_i * mean_i
    h_gg = var_g + RIDGE + CONSTANT * mean_g * mean_g
    h_ig = cov_ig + CONSTANT * mean_i * mean_g
    determinant = h_ii * h_gg - h_ig * h_ig
    explained = (
        (h_gg / determinant) * r_i * r_i
        + (h_ii / determinant) * r_g * r_g
        - (2 * h_ig / determinant) * r_i * r_g
        - CONSTANT * mean_b * mean_b
    )
    return (explained / variance_b.clamp_min(MIN_VARIANCE)).clamp(0, 1)
