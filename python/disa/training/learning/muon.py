"""The optimiser of the convolutions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose step for each weight is made nearly orthogonal (Jordan et al. 2024).

    Args:
        parameters: weights, each read as a matrix of outputs by all else, no more rows than columns.
        lr: spectral norm of a step, about.
        momentum: share of the past kept.
        weight_decay: shrinkage a step, times `lr`.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Update all weights."""
        for group in self.param_groups:
            weights: list[Tensor] = group["params"]
            gradients = [weight.grad for weight in weights if weight.grad is not None]
            for weight in weights:
                if not self.state[weight]:
                    self.state[weight]["momentum"] = torch.zeros_like(weight)
            past = [self.state[weight]["momentum"] for weight in weights]
            torch._foreach_lerp_(past, gradients, 1 - group["momentum"])
            steps = orthogonalised(torch._foreach_lerp(gradients, past, group["momentum"]))
            torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(weights, steps, alpha=-group["lr"])


def orthogonalised(weights: list[Tensor] | tuple[Tensor, ...]) -> list[Tensor]:
    """Each weight, as a matrix, with all singular values brought near 1 by Newton-Schulz iterations.

    All at once: filling up with zeros to one shape leaves the other singular values as they are.
    """
    matrices = [weight.flatten(1) for weight in weights]
    rows, columns = (max(m.shape[axis] for m in matrices) for axis in (0, 1))
    x = torch.stack([functional.pad(m, (0, columns - m.shape[1], 0, rows - m.shape[0])) for m in matrices])
    x = x / x.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None]
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return [
        step[: m.shape[0], : m.shape[1]].view_as(weight) for step, m, weight in zip(x, matrices, weights, strict=True)
    ]
