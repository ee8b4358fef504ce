# SPDX-License-Identifier: Apache-2.0
"""The loss on poses against the metric's formula written as loops."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("yaml", reason="training settings need PyYAML")

from disa.training.learning.error import DescriptorError, Form, crop_values  # noqa: E402
from disa.training.learning.pose_error import Descriptors, comparable, inverse, pose_error, pose_values  # noqa: E402
from disa.training.learning.smoothing import kernel_reach, smoothed  # noqa: E402
from disa.training.model.network import DISANet  # noqa: E402
from disa.training.sampling.compare import make_batch  # noqa: E402
from disa.training.sampling.pairs import PairSampler  # noqa: E402
from helpers import crop_pairs as crops  # noqa: E402
from helpers.wavy_volumes import oblique_affine, wavy  # noqa: E402

SIDE = 6


def value_by_loops(descriptors: Descriptors, draw, width: float, pair: int, pose: int) -> float:
    """Both sides of docs/concepts.md over the drawn samples, less the means unless the kernel is the widest."""
    samples = [descriptors.samples[pair].numpy(), descriptors.moving[pair, :, ::2, ::2, ::2].numpy()]
    weights = [draw.fixed_weights[pair].numpy(), draw.moving_weights[pair].numpy()]
    inside = [draw.fixed_inside[pair].numpy(), draw.moving_inside[pair].numpy()]
    cells = [draw.fixed_cells[pair].numpy(), draw.moving_cells[pair].numpy()]
    means = [(s * w).sum((1, 2, 3)) / w.sum() * (width < 12) for s, w in zip(samples, weights, strict=True)]
    fields = []
    for field, there, mean in zip((descriptors.fixed[pair], descriptors.moving[pair]), inside, means, strict=True):
        cut = torch.from_numpy(there * (field.numpy() - mean[:, None, None, None]))[None].float()
        smooth = smoothed(cut, torch.tensor([width]), 2, kernel_reach(width, 2))[0].numpy()
        fields.append(there * smooth)
    move, right = np.vstack([draw.displacements[pair, pose], [0, 0, 0, 1]]), np.eye(4)
    right[:3] = draw.to_moving[pair]
    total = 0.0
    for side, transform in enumerate((right @ move, np.linalg.inv(right @ move))):
        for index in cells[side]:
            at = crops.cell(index, SIDE)
            point = (transform @ [*(4 * np.array(at[::-1])), 1])[:3]
            sample = samples[side][(slice(None), *at)] - means[side]
            total += 0.5 * sample @ crops.read(fields[1 - side], point, 2) / len(cells[side])
    return total


@pytest.mark.parametrize("width", [0.0, 3.0, 12.0])
def test_values_are_the_metrics(width: float) -> None:
    draw, _ = crops.drawn(1, smoothings=[width])
    descriptors = crops.random_descriptors(2)
    got = pose_values(descriptors, draw, kernel_reach(width, 2)).numpy()
    expected = [[value_by_loops(descriptors, draw, width, pair, pose) for pose in range(3)] for pair in range(2)]
    assert np.std(expected) > 1e-3
    np.testing.assert_allclose(got, expected, atol=2e-4)


def test_the_error_is_the_mean_cross_entropy_of_the_pairs_whose_pose_is_known() -> None:
    draw, _ = crops.drawn(5)
    values = torch.tensor([[0.03, 0.02, 0.05], [0.5, 0.1, 0.2]])
    entropies = [crops.cross_entropy(row / 0.01) for row in values.numpy()]
    assert float(pose_error(values, draw, 0.01)) == pytest.approx(np.mean(entropies), rel=1e-5)
    first = draw._replace(known=torch.tensor([True, False]))
    assert float(pose_error(values, first, 0.01)) == pytest.approx(entropies[0], rel=1e-5)
    dark = draw._replace(moving_weights=draw.moving_weights * torch.tensor([0.0, 1.0])[:, None, None, None])
    assert comparable(dark).tolist() == [False, True]
    assert float(pose_error(values, dark, 0.01)) == pytest.approx(entropies[1], rel=1e-5)
    assert float(pose_error(values, draw._replace(known=torch.tensor([False, False])), 0.01)) == 0


def test_an_image_is_most_like_itself_where_it_lies_and_less_so_the_further_off() -> None:
    draw, _ = crops.drawn(6, turned_share=0.0, unshifted_share=1.0, pose_samples=400)
    shifts = torch.tensor([0.0, 1.0, 2.0, 4.0])
    displacements = torch.eye(3, 4).repeat(2, 4, 1, 1)
    displacements[..., 0, 3] = shifts
    torch.manual_seed(7)
    dense = torch.nn.functional.interpolate(torch.randn(1, 4, 5, 5, 5), size=(12,) * 3, mode="trilinear").repeat(
        2, 1, 1, 1, 1
    )
    descriptors = Descriptors(dense[..., ::2, ::2, ::2], dense, dense)
    values = pose_values(descriptors, draw._replace(displacements=displacements), 0)
    assert (values.diff(dim=1) < 0).all()


def test_an_inverse_takes_back() -> None:
    draw, _ = crops.drawn(8)
    there, back = (
        torch.cat([m, torch.tensor([0.0, 0, 0, 1]).expand(2, 3, 1, 4)], dim=2)
        for m in (draw.displacements, inverse(draw.displacements))
    )
    torch.testing.assert_close(there @ back, torch.eye(4).expand(2, 3, 4, 4), atol=1e-4, rtol=0)


def test_steps_lower_both_losses_on_places_and_leave_out_the_rest() -> None:
    torch.manual_seed(9)
    settings = crops.SETTINGS.changed(position_weight=1.0, smoothings=[0.0, 3.0])
    sampler = PairSampler([wavy(oblique_affine(9))], settings, np.random.default_rng(9))
    batch = make_batch([sampler.draw() for _ in range(2)], settings, augment=False)
    network = DISANet()
    form = Form.of(settings, (-1.0, 1.0), torch.float32)
    error = DescriptorError(network, form)
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    poses, positions = [], []
    for _ in range(8):
        errors = error(batch, torch.ones(16))
        poses.append(errors.pose.item())
        positions.append(errors.position.item())
        with torch.no_grad():
            values = crop_values(batch.fixed, batch.moving, batch.poses, network, form)
        assert poses[-1] == pytest.approx(float(pose_error(values, batch.poses, form.pose_temperature)), rel=1e-3)
        optimiser.zero_grad()
        (errors.pose + errors.position).backward()
        optimiser.step()
    assert poses[-1] < 0.98 * poses[0]
    assert positions[-1] < positions[0]


def test_weights_of_nothing_leave_the_similaritys_error_as_it_was() -> None:
    off = crops.SETTINGS.changed(pose_weight=0.0)
    batches, errors = [], []
    for settings in (off, crops.SETTINGS):
        torch.manual_seed(10)
        sampler = PairSampler([wavy(oblique_affine(10))], settings, np.random.default_rng(10))
        batches.append(make_batch([sampler.draw()], settings, augment=True))
        torch.manual_seed(11)
        errors.append(
            DescriptorError(DISANet(), Form.of(settings, (-1.0, 1.0), torch.float32))(batches[-1], torch.ones(16))
        )
    assert batches[0].poses is None
    assert all(torch.equal(*parts) for parts in zip(batches[0][:5], batches[1][:5], strict=True))
    assert torch.equal(errors[0].similarity, errors[1].similarity)
    assert errors[0].total(Form.of(off, (-1.0, 1.0), torch.float32)) is errors[0].similarity
    assert errors[0].pose == errors[0].position == errors[1].position == 0
    assert errors[1].pose > 0
