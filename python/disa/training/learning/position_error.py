# SPDX-License-Identifier: Apache-2.0
"""A loss on positions: a fixed descriptor should be more like the moving one at its place than like others near by.

InfoNCE (van den Oord et al., 2018) over inner products, with other places 2 to 12 voxels off.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from disa.training.learning.pose_error import at_cells, cell_points, comparable
from disa.training.sampling.crops import map_points, read_descriptors
from disa.training.sampling.poses import FIELD_STRIDE, PoseDraw

#: In place of a logit where there is no image.
NOWHERE = -1e4


def position_error(samples: Tensor, moving: Tensor, draw: PoseDraw, temperature: float) -> Tensor:
    """Cross-entropy of places with the right one, mean over the fixed samples whose place lies in the moving image.

    Args:
        samples: descriptors of the fixed crops, stride 4, shape (batch, channels, z, y, x).
        moving: likewise of the moving crops, stride 2.
        draw: samples, the right pose and other places.
        temperature: difference of products that makes a place e times as likely.

    Returns:
        A scalar.
    """
    at = cell_points(draw.fixed_cells, samples.shape[-1])[:, :, None]
    places = torch.cat([at, at + draw.offsets], dim=2)
    points = map_points(draw.to_moving, places.flatten(1, 2))
    fixed = at_cells(samples, draw.fixed_cells)
    read = read_descriptors(moving, points, FIELD_STRIDE).unflatten(1, places.shape[1:3])
    inside = read_descriptors(draw.moving_inside[:, None], points, FIELD_STRIDE, "zeros")
    there = inside.view(places.shape[:3]) > 0.5
    logits = (read * fixed[:, :, None]).sum(-1) / temperature
    logits = torch.where(there, logits, NOWHERE)
    right = torch.zeros(logits.shape[:2], dtype=torch.long, device=logits.device)
    entropies = functional.cross_entropy(logits.transpose(1, 2), right, reduction="none")
    valid = comparable(draw)[:, None] & there[..., 0]
    return (entropies * valid).sum() / valid.sum().clamp_min(1)
