# SPDX-License-Identifier: Apache-2.0
"""Every public name of SimpleITK's class is answered under DISA, and nothing heavy is loaded for it."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import SimpleITK as sitk

import disa
from helpers.simpleitk_engine import OPTIMIZERS, blobs, moved

PUBLIC = [name for name in dir(sitk.ImageRegistrationMethod) if not name.startswith("_")]
CONSTANTS = ["NONE", "REGULAR", "RANDOM", "Never", "Once", "EachIteration", "thisown"]
SETTERS_OF_OPTIMIZERS = [name for name in PUBLIC if name.startswith("SetOptimizerAs")]
MASK = sitk.Cast(blobs(0) > -20.0, sitk.sitkUInt8)

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "AddCommand": (sitk.sitkIterationEvent, lambda: None),
    "Execute": (blobs(0), moved(blobs(0))),
    "HasCommand": (sitk.sitkIterationEvent,),
    "MetricEvaluate": (blobs(0), moved(blobs(0))),
    "SetDebug": (False,),
    "SetFixedInitialTransform": (sitk.TranslationTransform(3),),
    "SetGlobalDefaultCoordinateTolerance": (1e-6,),
    "SetGlobalDefaultDebug": (False,),
    "SetGlobalDefaultDirectionTolerance": (1e-6,),
    "SetGlobalDefaultNumberOfThreads": (sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(),),
    "SetGlobalDefaultThreader": (sitk.ProcessObject.GetGlobalDefaultThreader(),),
    "SetGlobalWarningDisplay": (True,),
    "SetInitialTransform": (sitk.Euler3DTransform(),),
    "SetInitialTransformAsBSpline": (sitk.BSplineTransformInitializer(blobs(0), [2, 2, 2]), True, [1]),
    "SetInterpolator": (sitk.sitkBSpline,),
    "SetMetricAsANTSNeighborhoodCorrelation": (2,),
    "SetMetricFixedMask": (MASK,),
    "SetMetricMovingMask": (MASK,),
    "SetMetricSamplingPercentage": (0.5, 3),
    "SetMetricSamplingPercentagePerLevel": ([0.5], 3),
    "SetMetricSamplingStrategy": (sitk.ImageRegistrationMethod.REGULAR,),
    "SetMetricUseFixedImageGradientFilter": (False,),
    "SetMetricUseMovingImageGradientFilter": (False,),
    "SetMovingInitialTransform": (sitk.TranslationTransform(3),),
    "SetNumberOfThreads": (2,),
    "SetNumberOfWorkUnits": (2,),
    "SetOptimizerScales": ([10.0, 10.0, 10.0, 1.0, 1.0, 1.0],),
    "SetOptimizerWeights": ([1.0] * 6,),
    "SetShrinkFactorsPerLevel": ([2],),
    "SetSmoothingSigmasAreSpecifiedInPhysicalUnits": (False,),
    "SetSmoothingSigmasPerLevel": ([0.5],),
    "SetVirtualDomain": ((24, 22, 20), (-10.0, 4.0, 2.5), (1.0, 1.1, 1.2), (1, 0, 0, 0, 1, 0, 0, 0, 1)),
    "SetVirtualDomainFromImage": (blobs(0),),
}


def configured() -> disa.ImageRegistrationMethod:
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()
    method.SetInitialTransform(sitk.Euler3DTransform())
    method.SetOptimizerAsRegularStepGradientDescent(0.1, 1e-4, 3, gradientMagnitudeTolerance=1e-12)
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def call(method: disa.ImageRegistrationMethod, name: str) -> Any:
    if name in CONSTANTS:
        return getattr(method, name)
    if name in SETTERS_OF_OPTIMIZERS:
        return getattr(method, name)(**OPTIMIZERS[name.removeprefix("SetOptimizerAs")])
    return getattr(method, name)(*ARGUMENTS.get(name, ()))


UNDEFINED = ["GetMetricNumberOfValidPoints", "GetMetricValue", "GetOptimizerIteration"]
"""What SimpleITK's own class answers by whatever its memory holds, before a run."""


REFUSED = ["Execute", "MetricEvaluate", "Abort"]
"""What a command cannot call, or ends the run by; tried elsewhere."""


def answers(name: str) -> bool:
    others = ("AddCommand", "Execute", "MetricEvaluate", "SetGlobalDefaultThreader", "StopRegistration")
    return name.startswith(("Get", "Has")) or name in (*CONSTANTS, *others)


def test_the_class_is_simpleitks_with_three_names_more() -> None:
    assert issubclass(disa.ImageRegistrationMethod, sitk.ImageRegistrationMethod)
    added = {name for name in dir(disa.ImageRegistrationMethod) if not name.startswith("_")} - set(PUBLIC)
    assert added == {"SetMetricAsDISA", "SetMetricFixedFeatures", "SetMetricMovingFeatures"}
    assert disa.ImageRegistrationMethod().GetName() == "ImageRegistrationMethod"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_answered_before_during_and_after_a_run(name: str) -> None:
    method = configured()
    if name in UNDEFINED:
        with pytest.raises(disa.RegistrationError, match=rf"^{name}: nothing has been registered yet; call Execute"):
            call(method, name)
        method.Execute(blobs(0), moved(blobs(0)))
    before = call(method, name)
    assert (before is not None) == answers(name)
    if name == "SetInitialTransformAsBSpline":
        method.SetOptimizerWeights([])
        method.SetOptimizerAsLBFGSB(numberOfIterations=2)
    if not name.startswith("SetMetricAs"):  # those leave DISA
        during: list[Any] = []
        if name not in REFUSED:
            method.AddCommand(sitk.sitkIterationEvent, lambda: during.append(call(method, name)))
        method.Execute(blobs(0), sitk.Cast(moved(blobs(0)), sitk.sitkInt32))
        if name == "RemoveAllCommands":
            assert len(during) == 1
        elif name not in REFUSED:
            assert during and all(type(answer) is type(before) for answer in during)
        assert type(call(method, name)) is type(before)


@pytest.mark.parametrize("name", [n for n in PUBLIC if n.startswith("SetMetricAs")])
def test_choosing_another_metric_leaves_disa(name: str) -> None:
    method = configured()
    call(method, name)
    with pytest.raises(RuntimeError, match="must be the same"):  # SimpleITK's own word on unequal pixel types
        method.Execute(blobs(0), sitk.Cast(blobs(0), sitk.sitkInt32))


def documented_parameters(function: Callable[..., Any]) -> dict[str, str | None]:
    """Names and defaults, as SimpleITK's own signature in the docstring has them."""
    signature = re.search(r"\(ImageRegistrationMethod self(?:, )?(.*)\)$", function.__doc__ or "", re.MULTILINE)
    assert signature is not None
    parameters = {}
    for text in filter(None, signature[1].split(", ")):
        declaration, _, default = text.partition("=")
        parameters[declaration.split()[-1]] = default or None
    return parameters


@pytest.mark.parametrize("name", [n for n in PUBLIC if n in vars(disa.ImageRegistrationMethod.__mro__[1])])
def test_arguments_have_simpleitks_names_and_defaults(name: str) -> None:
    ours = inspect.signature(getattr(disa.ImageRegistrationMethod, name)).parameters
    theirs = documented_parameters(getattr(sitk.ImageRegistrationMethod, name))
    own = [p for p in ours.values() if p.name != "self"]
    if list(theirs) not in ([], ["arg2"]):
        assert [p.name for p in own] == list(theirs)
    words = {"True": True, "False": False, "sitkWallClock": sitk.sitkWallClock, "Never": 0, "Once": 1}
    words |= {
        "std::numeric_limits< double >::min()": sys.float_info.min,
        "std::numeric_limits< double >::max()": sys.float_info.max,
    }
    for parameter, default in zip(own, theirs.values(), strict=False):
        if default is None:
            assert parameter.default is inspect.Parameter.empty
        else:
            assert parameter.default == (words[default] if default in words else float(default))


LIGHT = """
import sys
def megabytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
import numpy, SimpleITK as sitk
before = megabytes()
import disa
disa.ImageRegistrationMethod
assert not {"itk", "torch", "onnxruntime"} & set(sys.modules)
print("more", megabytes() - before)
noise = sitk.AdditiveGaussianNoise(sitk.Image([24, 24, 24], sitk.sitkFloat32), 100.0, 0.0, 1)
fixed = sitk.SmoothingRecursiveGaussian(noise, 2.0)
method = disa.ImageRegistrationMethod()
method.SetMetricAsDISA()
method.SetInitialTransform(sitk.TranslationTransform(3, (3.0, -2.0, 1.0)))
method.SetOptimizerAsRegularStepGradientDescent(0.1, 1e-4, 5)
method.SetOptimizerScalesFromPhysicalShift()
method.AddCommand(sitk.sitkIterationEvent, lambda: print("value", method.GetMetricValue()))
method.Execute(fixed, fixed)
assert not {"itk", "torch"} & set(sys.modules), "loaded"
"""


def test_a_whole_registration_loads_neither_itk_nor_torch_and_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("value -") == 5
    assert float(re.search(r"more ([0-9.]+)", done.stdout)[1]) < 150
