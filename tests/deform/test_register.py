# SPDX-License-Identifier: Apache-2.0
"""`disa.deformable_register` from images to a field."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.deform import register as steps
from disa.deform.fields import corner_determinants, sample
from disa.deform.schedule import DEFORM_SCHEDULE
from disa.deform.workspace import DeformWorkspace
from disa.features.side import open_image_side
from disa.features.volumes import thinned
from disa.geometry.grid import Grid
from disa.io.images import load_weights
from disa.network.describer import Network
from helpers.images import structured_image
from helpers.known_deformation import Pair, deformed_pair, error_of, moved


@pytest.fixture(scope="module")
def pair() -> Pair:
    return deformed_pair()


def centre_of(image: sitk.Image) -> np.ndarray:
    return np.asarray(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))


@pytest.fixture(scope="module")
def result(pair: Pair) -> disa.DeformableResult:
    return disa.deformable_register(*pair[:2])


def test_a_known_deformation_is_recovered(pair: Pair, result: disa.DeformableResult) -> None:
    assert error_of(sitk.Transform(), pair[2]) > 10.0
    assert error_of(result.transform, pair[2]) < 2.5


def test_stride_4_searches_once(pair: Pair) -> None:
    assert error_of(disa.deformable_register(*pair[:2], stride=4).transform, pair[2]) < 4.0


def test_what_is_said_of_the_field_is_so(pair: Pair, result: disa.DeformableResult) -> None:
    image = result.displacement_field.GetDisplacementField()
    nodes = Grid.of(image)
    determinants = corner_determinants(sample(result.displacement_field, nodes), nodes.step)[1:-1, 1:-1, 1:-1]
    assert nodes.spacing == pytest.approx(8.0)
    assert result.least_jacobian == pytest.approx(determinants.min())
    assert result.folds == (determinants <= 0).any(axis=-1).mean()
    assert isinstance(result, disa.RegistrationResult)
    assert -1.0 <= result.value == result.trace[0][-1] < result.trace[0][0] < 0.0
    assert len(result.trace[0]) < result.evaluations <= 2 * DEFORM_SCHEDULE.fine_iterations
    assert 0.8 < result.overlap <= 1.0 and result.doubts == []
    shown = result._repr_html_()
    assert f"{result.value:.4f}" in shown and len(shown) < 1000
    assert list(result.times) == ["fixed descriptors", "moving descriptors", "search", "refinement", "composition"]


def test_the_field_comes_before_the_initial_transform(pair: Pair) -> None:
    """A copy of the moving image that was turned by 35 degrees and shifted far off needs the pose that says so."""
    fixed, moving, points = pair
    pose = sitk.Euler3DTransform(centre_of(fixed).tolist(), 0.35, -0.3, 0.4, (80.0, -60.0, 40.0))
    axes = np.asarray(pose.GetMatrix()).reshape(3, 3) @ np.asarray(moving.GetDirection()).reshape(3, 3)
    displaced = sitk.Image(moving)
    displaced.SetOrigin(pose.TransformPoint(moving.GetOrigin()))
    displaced.SetDirection(axes.ravel().tolist())
    far = sitk.TranslationTransform(3, (900.0, 0.0, 0.0))
    with pytest.raises(disa.RegistrationError, match=r"^fixed and moving do not overlap"):
        disa.deformable_register(fixed, moving, initial_transform=far)
    result = disa.deformable_register(fixed, displaced, initial_transform=pose, stride=4)
    back = sitk.CompositeTransform([pose.GetInverse(), result.transform])
    assert error_of(back, points) < 4.0
    np.testing.assert_allclose(
        moved(result.transform, points), moved(pose, moved(result.displacement_field, points)), atol=1e-9
    )


def test_threads_change_nothing(pair: Pair) -> None:
    one, other = (disa.deformable_register(*pair[:2], stride=4, threads=threads) for threads in (1, 3))
    fields = [sitk.GetArrayFromImage(r.displacement_field.GetDisplacementField()) for r in (one, other)]
    np.testing.assert_array_equal(*fields)


def test_a_field_without_folds(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def fold(work: DeformWorkspace) -> None:
        work.trace.append(0.0)
        work.add(np.random.default_rng(0).normal(scale=4.0, size=(*work.nodes.shape, 3)))

    monkeypatch.setattr(steps, "descend", fold)
    folded = disa.deformable_register(*pair[:2], stride=4)
    smooth = disa.deformable_register(*pair[:2], stride=4, fold_free=True)
    assert folded.folds > 0.0 > folded.least_jacobian
    assert folded.inverse_transform is None
    assert smooth.folds == 0.0 < smooth.least_jacobian
    assert error_of(smooth.transform, pair[2]) < 8.0


def test_a_diffeomorphism_from_an_affine_start_has_its_inverse(pair: Pair, result: disa.DeformableResult) -> None:
    fixed, moving, points = pair
    start = sitk.AffineTransform(3)
    start.SetCenter(centre_of(fixed).tolist())
    start.SetMatrix((1.03, 0.02, 0.0, 0.0, 0.98, 0.0, 0.01, 0.0, 1.0))
    found = disa.deformable_register(fixed, moving, initial_transform=start, fold_free=True)
    assert error_of(found.transform, points) < 2.5
    assert found.inverse_transform is not None
    ends = moved(found.transform, points)
    assert np.linalg.norm(moved(found.inverse_transform, ends) - points, axis=1).max() < 0.1


def test_maps_show_growth_and_disagreement(pair: Pair, result: disa.DeformableResult) -> None:
    """The determinant against differences of the transform; where one way only is searched, none disagree."""
    point, step = pair[2][40], 0.5
    arms = [np.subtract(*(result.transform.TransformPoint(point + s * a) for s in (step, -step))) for a in np.eye(3)]
    volume = result.jacobian_map
    index = volume.TransformPhysicalPointToContinuousIndex(point.tolist())
    growth = volume[tuple(round(i) for i in index)]
    assert np.linalg.det(np.stack(arms) / (2 * step)) == pytest.approx(growth, abs=0.1)
    disagreement = sitk.GetArrayFromImage(result.disagreement_map)
    assert 0.0 < disagreement.mean() < 10.0


def test_one_way_is_found_too(pair: Pair) -> None:
    result = disa.deformable_register(*pair[:2], inverse_consistent=False)
    assert error_of(result.transform, pair[2]) < 3.0
    assert not sitk.GetArrayFromImage(result.disagreement_map).any()


def test_masks_keep_what_they_hide_out(pair: Pair) -> None:
    """Half of the moving image is replaced by another; its mask hides that half."""
    fixed, moving, points = pair
    index = np.moveaxis(np.indices(moving.GetSize()[::-1]), 0, -1)
    half = index[..., 2] < moving.GetSize()[0] // 2
    spoilt = sitk.GetArrayFromImage(moving)
    spoilt[~half] = np.roll(spoilt, 17, axis=0)[~half]
    image, mask = sitk.GetImageFromArray(spoilt), sitk.GetImageFromArray(half.astype(np.uint8))
    image.CopyInformation(moving)
    mask.CopyInformation(moving)
    places = moved(sitk.Transform(), points)
    kept = places[[mask[mask.TransformPhysicalPointToIndex(p)] == 1 for p in places.tolist()]]
    masked = disa.deformable_register(fixed, image, moving_mask=mask, stride=4)
    assert 0.3 < masked.overlap < 0.6
    assert error_of(masked.transform, kept) < 5.0
    nowhere = sitk.Image(mask)
    nowhere.SetOrigin((4000.0, 0.0, 0.0))
    with pytest.raises(disa.RegistrationError, match=r"^fixed_mask: leaves no fixed descriptor"):
        disa.deformable_register(fixed, moving, fixed_mask=nowhere)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 3}, r"^stride: expected 4, 2 or 1, got 3"),
        ({"radius": 7.0}, r"^radius: expected one step of the search, 8 mm, or more, got 7.0 mm"),
        ({"radius": float("nan")}, r"^radius: expected one step"),
        ({"radius": "24"}, r"^radius: expected one step"),
        ({"threads": -1}, r"^threads: expected 0 or more, got -1"),
        ({"initial_transform": "a.tfm"}, r"^initial_transform: expected a SimpleITK transform, got str"),
        ({"radius": 4000.0}, r"^radius: 4000 mm in steps of 4 mm need \d+ GB"),
        ({"initial_transform": sitk.Transform(2, sitk.sitkIdentity)}, r"^initial_transform: expected a 3-D transform"),
    ],
)
def test_options_that_cannot_be_used(pair: Pair, options: dict[str, object], message: str) -> None:
    with pytest.raises(disa.RegistrationError, match=message):
        disa.deformable_register(*pair[:2], **options)  # type: ignore[arg-type]


def test_a_2d_image_is_refused(pair: Pair) -> None:
    with pytest.raises(disa.ImageError, match=r"^moving: expected a 3-D image, got a 2-D one"):
        disa.deformable_register(pair[0], pair[1][:, :, 20])


def test_descriptors_of_stride_4_are_every_second_one_of_stride_2(pair: Pair) -> None:
    side = open_image_side(pair[0], "fixed", None, Network())
    sparse, dense = (side.features(2.0, stride) for stride in (4, 2))
    among = thinned(dense, 2)
    assert among.data.shape == sparse.data.shape
    assert (among.spacing, among.origin) == (pytest.approx(sparse.spacing), pytest.approx(sparse.origin))
    inner = (slice(4, -4),) * 3  # the border is continued after a blur in one, before it in the other
    values = [features.scale * features.data[inner].astype(float) for features in (among, sparse)]
    assert np.abs(values[1]).max() > 0.3
    np.testing.assert_allclose(*values, atol=0.51 * (among.scale + sparse.scale))
    np.testing.assert_allclose(among.weights, sparse.weights)


def test_weights_and_rigid_parts_have_a_place_and_weights_may_be_all_alike() -> None:
    image = structured_image((24, 24, 24))
    ones = sitk.GetImageFromArray(np.ones((24, 24, 24), np.uint8))
    for name, given in (
        ("fixed_weights", {"fixed_weights": ones}),
        ("fixed_rigid_parts", {"constraints": disa.Constraints(fixed_rigid_parts=ones)}),
        ("moving_rigid_parts", {"constraints": disa.Constraints(moving_rigid_parts=ones)}),
    ):
        with pytest.raises(disa.ImageError, match=f"^{name}: has the size of the {name[:6].strip('_')} image, but"):
            disa.deformable_register(image, image, **given)
    ones.CopyInformation(image)
    weights = load_weights(ones)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(weights), np.ones((24, 24, 24), np.float32))
    for name in ("GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(weights, name)() == getattr(image, name)()


def test_weights_say_where_to_look(pair: Pair) -> None:
    """Half of the moving image is replaced by another; the weights of that half are 0."""
    fixed, moving, points = pair
    left = np.moveaxis(np.indices(fixed.GetSize()[::-1]), 0, -1)[..., 2] < fixed.GetSize()[0] // 2
    weights = sitk.GetImageFromArray(np.where(left, 0.5, 0.0))
    weights.CopyInformation(fixed)
    axis = np.asarray(fixed.GetDirection()).reshape(3, 3)[:, 0]
    kept = points[(points - centre_of(fixed)) @ axis < -10.0]
    spoilt = sitk.GetArrayFromImage(moving)
    right = np.moveaxis(np.indices(moving.GetSize()[::-1]), 0, -1)[..., 2] > moving.GetSize()[0] // 2
    spoilt[right] = np.roll(spoilt, 17, axis=0)[right]
    image = sitk.GetImageFromArray(spoilt)
    image.CopyInformation(moving)
    weighted = disa.deformable_register(fixed, image, fixed_weights=weights)
    assert error_of(weighted.transform, kept) < 3.5
    with pytest.raises(disa.RegistrationError, match=r"^fixed_weights: expected an image of 0 or more"):
        disa.deformable_register(fixed, image, fixed_weights=-1.0 * weights, stride=4)
    weights.SetOrigin((4000.0, 0.0, 0.0))
    with pytest.raises(disa.RegistrationError, match=r"^fixed_weights: leaves no fixed descriptor"):
        disa.deformable_register(fixed, image, fixed_weights=weights, stride=4)
