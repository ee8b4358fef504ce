# SPDX-License-Identifier: Apache-2.0
"""An image that ends at its mask means the same at every door: descriptors are those of the image continued beyond."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from disa.core import _core
from disa.features.side import extended_beyond_masks, open_image_side
from disa.network.describer import Network
from helpers.images import structured_image
from helpers.itk_metric import Metric, to_itk


def cone(image: sitk.Image) -> sitk.Image:
    """8-bit mask of a cone that opens along z, on the image's grid."""
    x, y, z = image.GetSize()
    k, j, i = np.meshgrid(np.arange(z), np.arange(y), np.arange(x), indexing="ij")
    mask = sitk.GetImageFromArray((np.hypot(i - x / 2, j - y / 2) < 0.5 * k + 6).astype(np.uint8))
    mask.CopyInformation(image)
    return mask


@pytest.fixture(scope="module")
def images() -> tuple[sitk.Image, sitk.Image, sitk.Image]:
    """What is seen within a cone and black beyond; the cone; another image, which goes on."""
    whole = structured_image((48, 46, 44), seed=4)
    mask = cone(whole)
    return sitk.Mask(whole, mask, -700.0), mask, structured_image((52, 50, 48), seed=4)


def described(images: tuple[sitk.Image, sitk.Image, sitk.Image], *, is_extended: bool) -> disa.FeatureVolume:
    """Fixed descriptors of the image in the cone."""
    seen, mask, other = images
    side = open_image_side(seen, "fixed", mask, Network())
    if is_extended:
        side, _ = extended_beyond_masks(side, open_image_side(other, "moving", None, Network()))
    return side.whole_features(2.0, 4, side.grid.direction, weighted=True)


def spatial(mask: sitk.Image) -> itk.ImageMaskSpatialObject:
    wrapped = itk.ImageMaskSpatialObject[3].New()
    wrapped.SetImage(to_itk(mask, np.uint8))
    wrapped.Update()
    return wrapped


def within(features: disa.FeatureVolume, mask: sitk.Image) -> np.ndarray:
    """Descriptors in the mask, where all doors compare them."""
    place = [features.origin, features.spacing, features.direction]
    size = features.weights.shape[::-1]
    inside = sitk.GetArrayFromImage(sitk.Resample(mask, size, sitk.Transform(), sitk.sitkNearestNeighbor, *place))
    return features.data[inside > 0] * features.scale


def nearly_equal(one: np.ndarray, other: np.ndarray) -> bool:
    """Descriptors that are the same but for two roundings to 8 bits."""
    return bool(np.abs(one - other).max() < 0.02)


def test_extension_changes_what_is_seen_near_the_edge(images: tuple[sitk.Image, sitk.Image, sitk.Image]) -> None:
    one, other = (within(described(images, is_extended=extended), images[1]) for extended in (True, False))
    assert np.mean(np.any(one != other, axis=-1)) > 0.5


@pytest.mark.parametrize("is_fixed", [True, False])
def test_the_itk_metric_sees_the_image_go_on(images: tuple[sitk.Image, sitk.Image, sitk.Image], is_fixed: bool) -> None:
    seen, mask, other = images
    metric = Metric.New(FeatureSmoothing=0.0)
    if is_fixed:
        metric.SetFixedImage(to_itk(seen))
        metric.SetMovingImage(to_itk(other))
        metric.SetFixedImageMask(spatial(mask))
    else:
        metric.SetFixedImage(to_itk(other))
        metric.SetMovingImage(to_itk(seen))
        metric.SetMovingImageMask(spatial(mask))
    metric.Initialize()
    if is_fixed:
        expected = described(images, is_extended=True)
        expected = _core.centred(expected, _core.mean_of(expected))
        assert nearly_equal(within(metric.GetFixedFeatures(), mask), within(expected, mask))
    else:
        found = metric.GetMovingFeatures()
        side, _ = extended_beyond_masks(
            open_image_side(seen, "moving", mask, Network()), open_image_side(other, "fixed", None, Network())
        )
        axes = np.reshape(found.direction, (3, 3))
        expected = side.whole_features(found.spacing[0] / 2, 2, axes, weighted=True)
        expected = _core.centred(expected, _core.mean_of(expected))
        assert nearly_equal(within(found, mask), within(expected, mask))


def test_where_both_images_end_the_itk_metric_keeps_the_shared_edge(
    images: tuple[sitk.Image, sitk.Image, sitk.Image],
) -> None:
    seen, mask, _ = images
    metric = Metric.New(FixedImage=to_itk(seen), MovingImage=to_itk(seen))
    metric.SetFixedImageMask(spatial(mask))
    metric.SetMovingImageMask(spatial(mask))
    metric.Initialize()
    expected = described(images, is_extended=False)
    expected = _core.centred(expected, _core.mean_of(expected))
    assert nearly_equal(within(metric.GetFixedFeatures(), mask), within(expected, mask))


def test_a_mask_that_changes_is_looked_at_anew(images: tuple[sitk.Image, sitk.Image, sitk.Image]) -> None:
    seen, mask, other = images
    metric = Metric.New(FixedImage=to_itk(seen), MovingImage=to_itk(other))
    metric.Initialize()
    plain = metric.GetFixedFeatures().data.copy()
    metric.SetFixedImageMask(spatial(mask))
    metric.Initialize()
    assert not np.array_equal(metric.GetFixedFeatures().data, plain)
    metric.SetFixedImageMask(None)
    metric.Initialize()
    np.testing.assert_array_equal(metric.GetFixedFeatures().data, plain)


def test_simpleitks_class_and_the_function_see_the_same(images: tuple[sitk.Image, sitk.Image, sitk.Image]) -> None:
    """Values at one pose over the same samples: SimpleITK's class with a mask, and with ready-made descriptors."""
    seen, mask, other = images
    pose = sitk.TranslationTransform(3, (1.0, -1.0, 0.5))
    values = []
    for features in (None, described(images, is_extended=True), described(images, is_extended=False)):
        method = disa.ImageRegistrationMethod()
        method.SetMetricAsDISA(smoothing=24.0)  # under the widest kernel nothing is centred
        method.SetMetricSamplingStrategy(method.REGULAR)  # one way, as ready-made descriptors are
        method.SetMetricSamplingPercentage(1.0, seed=1)
        method.SetMetricFixedMask(mask)
        method.SetMetricFixedFeatures(features)
        method.SetInitialTransform(sitk.TranslationTransform(pose))
        method.SetOptimizerAsExhaustive([0, 0, 0])
        method.Execute(seen, other)
        values.append(method.GetMetricValue())
    assert values[0] == pytest.approx(values[1], abs=1e-9)
    assert abs(values[0] - values[2]) > 1e-3


def test_deformable_register_sees_the_image_go_on(
    images: tuple[sitk.Image, sitk.Image, sitk.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, mask, other = images
    used = []
    from disa.deform import register as stages

    def stop(work: stages.DeformWorkspace, *_: object, **__: object) -> None:
        used.append(work.features)
        raise disa.RegistrationError("seen")

    monkeypatch.setattr(stages, "search", stop)
    with pytest.raises(disa.RegistrationError, match=r"^seen$"):
        disa.deformable_register(seen, other, fixed_mask=mask, stride=4)
    np.testing.assert_array_equal(within(used[0], mask), within(described(images, is_extended=True), mask))
