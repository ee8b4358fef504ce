# SPDX-License-Identifier: Apache-2.0
"""What is drawn for the losses on places."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("yaml", reason="training settings need PyYAML")

from disa.training.sampling.geometry import grid_to_grid  # noqa: E402
from disa.training.sampling.pairs import PairSampler  # noqa: E402
from disa.training.sampling.poses import FARTHEST, draw_displacements, draw_index, draw_offsets  # noqa: E402
from helpers import crop_pairs as crops  # noqa: E402
from helpers.wavy_volumes import oblique_affine, wavy  # noqa: E402


def test_displacements_are_rigid_and_as_long_as_said() -> None:
    torch.manual_seed(1)
    least, most, side, extent = torch.tensor([0.5, 4.5]), 20.0, 64, 40
    displacements = draw_displacements(least, most, 2000, side, extent).double().numpy()
    np.testing.assert_allclose(displacements[:, 0], np.tile(np.eye(3, 4), (2, 1, 1)), atol=1e-6)
    turns = displacements[..., :3]
    np.testing.assert_allclose(turns @ turns.swapaxes(-1, -2), np.tile(np.eye(3), (2, 2000, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(turns), 1, atol=1e-5)
    grid = np.linspace(-0.5, 0.5, 31)[:30] + 1 / 60
    cube = extent * np.stack(np.meshgrid(grid, grid, grid), -1).reshape(-1, 3) + (side - 1) / 2
    for pair, low in enumerate(least.tolist()):
        lengths = [
            np.sqrt(np.square(cube @ (m[:, :3] - np.eye(3)).T + m[:, 3]).sum(-1).mean())
            for m in displacements[pair, 1:200]
        ]
        assert low * 0.99 < min(lengths) < max(lengths) < most * 1.01
        # Uniform in the logarithm: the median is the geometric mean of the bounds.
        assert np.median(lengths) == pytest.approx(math.sqrt(low * most), rel=0.35)
    angles = np.degrees(np.arccos((np.trace(turns, axis1=-2, axis2=-1) - 1).clip(-2, 2) / 2))
    assert angles.max() > 30


def test_other_places_are_from_nearest_to_farthest() -> None:
    torch.manual_seed(2)
    lengths = draw_offsets(torch.tensor([2.0, 4.5, 15.0]), 300, 10).norm(dim=-1)
    for row, (low, high) in zip(lengths, ((2.0, FARTHEST), (4.5, FARTHEST), (15.0, 15.0)), strict=True):
        assert low - 1e-3 <= row.min() <= low + 0.1
        assert high - 0.1 <= row.max() <= high + 1e-3


def test_the_right_pose_is_the_crops_place_in_the_world() -> None:
    draw, pairs = crops.drawn(3)
    expected = grid_to_grid([p.fixed_grid for p in pairs], [p.seen_grid for p in pairs])
    np.testing.assert_allclose(draw.to_moving.numpy(), expected, atol=1e-4)
    for pair in range(2):
        there, back = (np.vstack([m[pair], [0, 0, 0, 1]]) for m in (draw.to_moving, draw.to_fixed))
        np.testing.assert_allclose(there @ back, np.eye(4), atol=1e-4)
    assert draw.known.tolist() == [True, True]


def test_samples_lie_where_there_is_an_image() -> None:
    draw, _ = crops.drawn(4, pose_samples=200)
    for cells, weights, inside in (
        (draw.fixed_cells, draw.fixed_weights, draw.fixed_inside),
        (draw.moving_cells, draw.moving_weights, draw.moving_inside),
    ):
        assert (weights.flatten(1).gather(1, cells) > 0).all()
        assert (inside[:, ::2, ::2, ::2][weights > 0] == 1).all()
        steps = torch.nonzero(inside)[:, 1:]
        assert steps.min() * 2 >= crops.SETTINGS.border
        assert steps.max() * 2 <= 23 - crops.SETTINGS.border


def test_no_pose_is_known_that_lays_one_grid_on_the_other_or_of_other_patients() -> None:
    draw, _ = crops.drawn(9, turned_share=0.0, unshifted_share=1.0)
    assert draw.known.tolist() == [False, False]
    draw, _ = crops.drawn(9, self_share=0.0)
    assert draw.known.tolist() == [False, False]


@pytest.mark.parametrize(("tolerance", "aligned", "expected"), [(9.0, 1.0, 4.5), (9.0, 0.0, 0.0), (0.0, 1.0, 0.0)])
def test_wrong_poses_are_further_off_than_anatomy_may_lie(tolerance: float, aligned: float, expected: float) -> None:
    settings = crops.SETTINGS.changed(aligned_share=aligned, self_share=1 - aligned, native_share=1.0)
    volumes = [wavy(oblique_affine(5), "one"), wavy(oblique_affine(5), "other")]
    volumes[1] = replace(volumes[1], info=replace(volumes[1].info, tolerance=tolerance))
    sampler = PairSampler(volumes, settings, np.random.default_rng(6))
    assert [sampler.draw().tolerance for _ in range(4)] == pytest.approx([expected] * 4)


@pytest.mark.parametrize(("width", "least"), [(0.0, 0.5), (12.0, 3.0)])
def test_wrong_poses_are_further_off_under_a_wide_kernel(width: float, least: float) -> None:
    draw, _ = crops.drawn(7, poses=400, smoothings=[width])
    change = draw.displacements[:, 1:] - torch.eye(3, 4)
    middle = change[..., :3].sum(-1) * 11.5 + change[..., 3]
    turn = change[..., :3].square().sum((-2, -1)) * 16**2 / 12  # of points over the inner 16 voxels a side
    lengths = (middle.square().sum(-1) + turn).sqrt()
    assert least <= lengths.min() + 1e-3 < 1.2 * least
    assert (draw.widths == width).all()


def test_cells_are_drawn_in_proportion_to_their_weights() -> None:
    torch.manual_seed(8)
    weights = torch.tensor([[0.0, 1.0, 3.0, 0.0], [2.0, 0.0, 0.0, 2.0]])
    shares = torch.nn.functional.one_hot(draw_index(weights, 20_000), 4).float().mean(1)
    torch.testing.assert_close(shares, weights / 4, atol=0.015, rtol=0)
    assert ((shares > 0) == (weights > 0)).all()
