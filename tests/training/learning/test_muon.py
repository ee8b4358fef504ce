"""The optimiser's step."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.learning.muon import Muon, orthogonalised  # noqa: E402


def test_steps_are_nearly_orthogonal_whatever_the_shapes() -> None:
    torch.manual_seed(4)
    shapes = [(8, 8, 3, 3, 3), (32, 16, 3, 3, 3), (4, 5)]
    for step, shape in zip(orthogonalised([torch.randn(shape) for shape in shapes]), shapes, strict=True):
        assert step.shape == shape
        singular = torch.linalg.svdvals(step.flatten(1))
        assert 0.5 < singular.min() <= singular.max() < 1.3


def test_muon_descends_and_goes_on_from_its_state() -> None:
    torch.manual_seed(5)
    goal = torch.randn(3, 7)

    def descend(weight: torch.Tensor, muon: Muon, steps: int) -> None:
        for _ in range(steps):
            weight.grad = weight - goal
            muon.step()

    weight = torch.zeros(3, 7)
    muon = Muon([weight], lr=0.05)
    descend(weight, muon, 20)
    again = weight.clone()
    other = Muon([again], lr=0.05)
    other.load_state_dict(copy.deepcopy(muon.state_dict()))
    descend(weight, muon, 20)
    descend(again, other, 20)
    assert (weight - goal).norm() < 0.6 * goal.norm()
    torch.testing.assert_close(again, weight, atol=0, rtol=0)
