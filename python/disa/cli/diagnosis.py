# SPDX-License-Identifier: Apache-2.0
"""What `disa doctor` finds out."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from disa.errors import DISAError
from disa.installing import (
    RUNTIMES,
    install_command,
    installed_runtimes,
    is_installed,
    runtime_advice,
    suitable_runtime,
)
from disa.progress import announce

if TYPE_CHECKING:
    import SimpleITK as sitk

PACKAGES = ("itk-disa", "itk-core", "SimpleITK", "numpy", *RUNTIMES.values(), "torch", "distributed")
EXTRAS = {"torch": ("training", "train"), "distributed": ("cohorts", "cohort")}
"""Packages that not everyone needs: what for, and the extra that brings them."""

SIMPLEITK_DOOR = "SimpleITK's class"
DOORS = {
    "disa register": "disa.pose.register",
    "disa.deformable_register": "disa.deform.register",
    SIMPLEITK_DOOR: "disa.doors.simpleitk.method",
    "ITK's metric": "disa.doors.itk.compiled",
}
"""Ways in, and what is loaded to know that they can be used."""

SHIFT_MM = 6.0
TOLERANCE_MM = 1.0


@dataclass
class Diagnosis:
    """What was found.

    Attributes:
        versions: of Python and the packages that are installed.
        providers: ONNX Runtime's execution providers, best first.
        kernels: that this processor runs, the one that is used first.
        doors: ways in that can be used as things are installed.
        models: that come with the package.
        self_test: how it went; empty if it was not run.
        self_test_error_mm, self_test_seconds: of it, None if it was not run.
        missing: lines, what is not installed and how to get it.
        failures: lines, what does not work and what to do.
    """

    versions: dict[str, str] = field(default_factory=dict)
    providers: list[str] = field(default_factory=list)
    kernels: list[str] = field(default_factory=list)
    doors: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    self_test: str = ""
    self_test_error_mm: float | None = None
    self_test_seconds: float | None = None
    missing: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def diagnose() -> Diagnosis:
    """Look at everything that a registration needs, and register."""
    found = Diagnosis(versions={"Python": platform.python_version(), "processor": platform.machine()})
    for package in PACKAGES:
        try:
            found.versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            if package in EXTRAS:
                purpose, extra = EXTRAS[package]
                found.missing.append(f"{package} is not installed, needed for {purpose}: {install_command(extra)}")
    for stage, look in LOOKS.items():
        announce(stage)
        try:
            look(found)
        except (DISAError, ImportError) as error:
            failure = f"failed: {error}"
            if failure not in found.failures:
                found.failures.append(failure)
    return found


def _look_at_runtime(found: Diagnosis) -> None:
    from disa.network.models import shipped_files, shipped_models
    from disa.network.providers import GPU, OPENVINO
    from disa.network.seal import read_sealed
    from disa.network.session import available_providers

    found.models = shipped_models()
    for path in shipped_files():
        read_sealed(path)
    found.providers = available_providers()
    installed = installed_runtimes()
    if len(installed) > 1:
        found.failures.append(
            f"failed: {' and '.join(installed)} are installed at once and spoil each other's files: {runtime_advice()}"
        )
    elif suitable_runtime() == "gpu" and GPU not in found.providers:
        found.missing.append(f"no CUDA in this ONNX Runtime, the network runs on the processor: {runtime_advice()}")
    elif suitable_runtime() == "openvino" and not {GPU, OPENVINO} & set(found.providers):
        found.missing.append(
            "no OpenVINO in this ONNX Runtime, the network runs 2 to 5 times slower on Intel and AMD: "
            f"{runtime_advice()}"
        )


def _look_at_library(found: Diagnosis) -> None:
    from disa.core import _core

    used = _core.kernel()
    found.kernels = [used, *(name for name in _core.kernels() if name != used)]


def _look_at_doors(found: Diagnosis) -> None:
    for door, module in DOORS.items():
        try:
            importlib.import_module(module)
        except ImportError as error:
            said, lines = f"failed: {error}", found.failures
            if not is_installed("itk-core"):
                said, lines = str(error), found.missing
            if said not in lines:
                lines.append(said)
        else:
            found.doors.append(door)


def _self_test(found: Diagnosis) -> None:
    """Register an image to itself, shifted, through SimpleITK's class where it can be used."""
    import SimpleITK as sitk

    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(48, 48, 48)).astype(np.float32))
    noise.SetSpacing((2.0, 2.0, 2.0))
    fixed = sitk.SmoothingRecursiveGaussian(noise, 5.0)
    shift = sitk.TranslationTransform(3, (SHIFT_MM, 0.0, 0.0))
    moving = sitk.Resample(fixed, fixed, shift.GetInverse(), sitk.sitkLinear)
    start = time.perf_counter()
    register = _register_by_class if SIMPLEITK_DOOR in found.doors else _register_by_search
    result = register(fixed, moving)
    error = float(np.linalg.norm(np.subtract(result.TransformPoint((0.0, 0.0, 0.0)), (SHIFT_MM, 0.0, 0.0))))
    seconds = time.perf_counter() - start
    found.self_test = f"a shift of {SHIFT_MM:g} mm found to {error:.2f} mm in {seconds:.1f} s"
    found.self_test_error_mm, found.self_test_seconds = error, seconds
    if error > TOLERANCE_MM:
        found.failures.append(
            f"failed: {found.self_test}, expected {TOLERANCE_MM:g} mm or better; please report it with this output"
        )


def _register_by_class(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    import SimpleITK as sitk

    from disa.doors.simpleitk.method import ImageRegistrationMethod

    method = ImageRegistrationMethod()
    method.SetMetricAsDISA()
    method.SetOptimizerAsLBFGS2()
    method.SetInitialTransform(sitk.TranslationTransform(3))
    return method.Execute(fixed, moving)


def _register_by_search(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    from disa.pose.register import register

    return register(fixed, moving).transform


LOOKS = {"runtime": _look_at_runtime, "library": _look_at_library, "doors": _look_at_doors, "self-test": _self_test}
"""What is looked at, in order."""
