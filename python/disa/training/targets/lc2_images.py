"""LC² of two images place by place, as a registration by LC² itself would compute it."""

from __future__ import annotations

import torch
from torch import Tensor

from disa.training.targets.lc2 import CONSTANT, RADII, closed_form
from disa.training.targets.lc2_map import inner_mean
from disa.training.targets.patches import gradient_magnitude


def lc2_of_images(source: Tensor, target: Tensor) -> Tensor:
    """LC² of the patches of two images on one grid, of each with the other at the same place, mean over the radii.

    Args:
        source: shape (z, y, x), zero mean and unit standard deviation, the regressor; sides of at least
            2 MARGIN + 1.
        target: the same shape, what is explained.

    Returns:
        Shape of the images less MARGIN voxels on every side, in [0, 1].

    Source: DISA paper, section 3; Wein et al., MICCAI 2013.
    """
    i, b = source.double(), target.double()
    g = gradient_magnitude(i[None])[0]
    values = []
    for radius in RADII:
        mean_i, mean_g, mean_b = (inner_mean(x, radius) for x in (i, g, b))

        def covariance(x: Tensor, y: Tensor, mean_x: Tensor, mean_y: Tensor, radius: int = radius) -> Tensor:
            return inner_mean(x * y, radius) - mean_x * mean_y

        values.append(
            closed_form(
                variances=(
                    covariance(i, i, mean_i, mean_i),
                    covariance(g, g, mean_g, mean_g),
                    covariance(i, g, mean_i, mean_g),
                ),
                means=(mean_i, mean_g),
                products=(
                    covariance(i, b, mean_i, mean_b) + CONSTANT * mean_i * mean_b,
                    covariance(g, b, mean_g, mean_b) + CONSTANT * mean_g * mean_b,
                ),
                mean_b=mean_b,
                variance_b=covariance(b, b, mean_b, mean_b),
            )
        )
    return torch.stack(values).mean(dim=0).float()
