# SPDX-License-Identifier: Apache-2.0
"""`except RuntimeError`, as scripts of SimpleITK's and ITK's have it, catches what the doors raise in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from disa import errors
from disa.features import cache as feature_cache
from disa.network import describer
from helpers.itk_metric import ImageType, Metric
from helpers.simpleitk_engine import blobs, moved

FIXED, MOVING = blobs(0), moved(blobs(0))
ERRORS = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, errors.DISAError)]


def method_of(kind: type[sitk.ImageRegistrationMethod] = disa.ImageRegistrationMethod) -> Any:
    method = kind()
    if isinstance(method, disa.ImageRegistrationMethod):
        method.SetMetricAsDISA()
    method.SetInitialTransform(sitk.TranslationTransform(3))
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 3)
    return method


def test_every_error_is_a_runtime_error_and_what_it_was_before() -> None:
    assert {error.__name__ for error in ERRORS} >= {
        "ImageError", "ModelError", "RegistrationError", "ConfigError", "TrainingError", "OutputError"
    }  # fmt: skip
    for error in ERRORS:
        assert issubclass(error, RuntimeError) and issubclass(error, disa.DISAError)
        assert str(error("one line")) == "one line"
    for error in (disa.ImageError, disa.ModelError, disa.ConfigError):
        assert issubclass(error, ValueError)
        with pytest.raises(ValueError, match="one line"):
            raise error("one line")
    assert not issubclass(disa.RegistrationError, ValueError)


BAD_IMAGES: dict[str, Callable[[], Any]] = {
    "2-D": lambda: sitk.Image(16, 16, sitk.sitkFloat32),
    "4-D": lambda: sitk.Image([8] * 4, sitk.sitkFloat32),
    "vector": lambda: sitk.Compose(MOVING, MOVING),
    "complex": lambda: sitk.Image(16, 16, 16, sitk.sitkComplexFloat32),
    "constant": lambda: sitk.Image(16, 16, 16, sitk.sitkFloat32) + 3.0,
    "empty": lambda: sitk.Image(),
    "one slice": lambda: MOVING[:, :, :1],
    "NaN": lambda: sitk.GetImageFromArray(np.full((16, 16, 16), np.nan, np.float32)),
    "infinite": lambda: sitk.GetImageFromArray(np.where(np.arange(4096) % 7, 1.0, np.inf).reshape(16, 16, 16)),
    "elsewhere": lambda: elsewhere(),
}


def elsewhere() -> sitk.Image:
    image = sitk.Image(MOVING)
    image.SetOrigin((1e5, 0.0, 0.0))
    return image


@pytest.mark.parametrize("call", ["Execute", "MetricEvaluate"])
@pytest.mark.parametrize("case", BAD_IMAGES)
def test_wrong_images(case: str, call: str) -> None:
    for images in ((FIXED, BAD_IMAGES[case]()), (BAD_IMAGES[case](), MOVING)):
        with pytest.raises(RuntimeError) as caught:
            getattr(method_of(), call)(*images)
        assert isinstance(caught.value, disa.DISAError)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("call", ["Execute", "MetricEvaluate"])
@pytest.mark.parametrize("case", ["2-D", "vector", "complex", "elsewhere"])
@pytest.mark.parametrize("side", ["Fixed", "Moving"])
def test_wrong_masks(case: str, side: str, call: str) -> None:
    method = method_of()
    mask = BAD_IMAGES[case]()
    getattr(method, f"SetMetric{side}Mask")(sitk.Cast(mask * 0, sitk.sitkUInt8) if case == "elsewhere" else mask)
    with pytest.raises(RuntimeError) as caught:
        getattr(method, call)(FIXED, MOVING)
    assert isinstance(caught.value, disa.DISAError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("call", ["Execute", "MetricEvaluate"])
@pytest.mark.parametrize(
    "value", [None, 3, np.zeros((16, 16, 16)), "fixed.nii.gz"], ids=["none", "number", "array", "path"]
)
def test_no_images_are_a_type_error_as_simpleitks_and_one_of_ours(value: Any, call: str) -> None:
    for kind in (sitk.ImageRegistrationMethod, disa.ImageRegistrationMethod):
        for images in ((FIXED, value), (value, MOVING)):
            with pytest.raises(TypeError) as caught:
                getattr(method_of(kind), call)(*images)
    assert isinstance(caught.value, disa.ImageError)
    assert str(caught.value) == (
        f"fixed image: expected a SimpleITK.Image, got {type(value).__name__}; convert it first"
    )


def test_no_features_are_a_type_error_when_they_are_set() -> None:
    method = method_of()
    value = method.MetricEvaluate(FIXED, MOVING)
    for setter in (method.SetMetricFixedFeatures, method.SetMetricMovingFeatures):
        with pytest.raises(TypeError, match=rf"^{setter.__name__}: expected a disa.FeatureVolume or None, got Image$"):
            setter(FIXED)
    with pytest.raises(RuntimeError, match=r"^providers: expected a list of names, got 1 among them$"):
        method.SetMetricAsDISA(providers=[1])
    assert method.MetricEvaluate(FIXED, MOVING) == value


SETTINGS: dict[str, Callable[[Any], Any]] = {
    "percentage": lambda m: (m.SetMetricSamplingStrategy(m.RANDOM), m.SetMetricSamplingPercentage(7.0)),
    "levels": lambda m: m.SetShrinkFactorsPerLevel([4, 2, 1]),
    "shrink 0": lambda m: m.SetShrinkFactorsPerLevel([0]),
    "weights": lambda m: m.SetOptimizerWeights([1.0] * 7),
    "scales 0": lambda m: m.SetOptimizerScales([0.0] * 3),
    "2-D transform": lambda m: m.SetInitialTransform(sitk.Euler2DTransform()),
    "2-D fixed initial": lambda m: m.SetFixedInitialTransform(sitk.TranslationTransform(2)),
    "2-D moving initial": lambda m: m.SetMovingInitialTransform(sitk.TranslationTransform(2)),
    "identity": lambda m: m.SetInitialTransform(sitk.Transform()),
    "domain": lambda m: m.SetVirtualDomain([8, 8], [0, 0], [1, 1], [1, 0, 0, 1]),
    "away": lambda m: m.SetInitialTransform(sitk.TranslationTransform(3, (1e4, 0, 0))),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_wrong_settings(case: str) -> None:
    method = method_of()

    def run() -> None:
        SETTINGS[case](method)
        method.Execute(FIXED, MOVING)

    with pytest.raises(RuntimeError) as caught:
        run()
    if type(caught.value) is not RuntimeError:  # SimpleITK's setters have their own
        assert isinstance(caught.value, disa.DISAError)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", ERRORS)
def test_what_the_network_raises(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error("of the network")

    feature_cache.clear()
    monkeypatch.setattr(describer, "run_network", fail)
    for call in ("Execute", "MetricEvaluate"):
        with pytest.raises(RuntimeError, match="of the network") as caught:
            getattr(method_of(), call)(FIXED, MOVING)
        assert type(caught.value) is error


def itk_metric(**settings: Any) -> Any:
    pixels = sitk.GetArrayFromImage(FIXED).astype(np.float32)
    given = {"FixedImage": itk.image_from_array(pixels), "MovingImage": itk.image_from_array(pixels)} | settings
    return Metric.New(MovingTransform=itk.TranslationTransform[itk.D, 3].New(), **given)


ITK_CASES: dict[str, Callable[[], Any]] = {
    "no images": lambda: Metric.New().Initialize(),
    "constant": lambda: itk_metric(MovingImage=itk.image_from_array(np.zeros((16, 16, 16), np.float32))).Initialize(),
    "NaN": lambda: itk_metric(FixedImage=itk.image_from_array(np.full((16, 16, 16), np.nan, np.float32))).Initialize(),
    "model": lambda: itk_metric(Model="none.onnx").Initialize(),
    "spacing": lambda: Metric.New(VoxelSpacing=-1.0),
    "stride": lambda: itk_metric(MovingStride=3).Initialize(),
    "smoothing": lambda: Metric.New(FeatureSmoothing=float("nan")),
    "angle": lambda: Metric.New(ReorientationAngle=-1.0),
    "levels": lambda: Metric.New(RemainingLevels=-1),
    "value": lambda: Metric.New().GetValueAndDerivative(),
    "update": lambda: (
        itk.ImageRegistrationMethodv4[ImageType, ImageType]
        .New(
            FixedImage=itk.image_from_array(np.zeros((16, 16, 16), np.float32)),
            MovingImage=itk.image_from_array(np.zeros((16, 16, 16), np.float32)),
            Metric=Metric.New(),
            Optimizer=itk.RegularStepGradientDescentOptimizerv4[itk.D].New(),
            InitialTransform=itk.TranslationTransform[itk.D, 3].New(),
        )
        .Update()
    ),
}


@pytest.mark.parametrize("case", ITK_CASES)
def test_the_itk_door(case: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        ITK_CASES[case]()
    assert case == "update" or "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("VoxelSpacing", -1.0, ValueError),
        ("VoxelSpacing", "x", TypeError),
        ("FeatureSmoothing", -1.0, ValueError),
        ("ReorientationAngle", [], TypeError),
        ("FixedStride", 2.5, TypeError),
        ("MovingStride", None, TypeError),
        ("ExecutionProviders", [1], TypeError),
        ("ExecutionProviders", "CPUExecutionProvider", TypeError),
        ("ExecutionProviders", 1, TypeError),
        ("FixedFeatures", 3, TypeError),
        ("MovingFeatures", FIXED, TypeError),
    ],
)
def test_a_setting_of_itks_metric_that_is_wrong_is_one_line_that_names_it(
    name: str, value: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=rf"^Set{name}: expected ") as caught:
        getattr(Metric.New(), f"Set{name}")(value)
    assert "\n" not in str(caught.value)
    assert kind is TypeError or isinstance(caught.value, disa.RegistrationError)
