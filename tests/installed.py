# SPDX-License-Identifier: Apache-2.0
"""Registers a pair through every door of the package as it is installed. Needs nothing but the package.

    python tests/installed.py [DOOR ...]        command, python, simpleitk, itk; all if none is named

The moving image has the contrast turned round, a grid of its own, and is shifted by about 9 mm. Prints one line of
JSON: versions, and of each door its seconds, on the clock and of the processors, and its error in mm. Each door runs in
a process of its own, so loading counts. Exits with 1 where a door fails or errs by more than 1 mm.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

SHIFT_MM = (6.0, -4.0, 5.0)
TOLERANCE_MM = 1.0
PACKAGES = (
    "itk-core",
    "SimpleITK",
    "numpy",
    "onnxruntime",
    "onnxruntime-openvino",
    "onnxruntime-gpu",
    "typer",
    "click",
)

DOORS = {
    "command": """
import subprocess
from pathlib import Path
command = ["disa", "register", "fixed.nii.gz", "moving.nii.gz", "-o", "out"]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
Path("out/transform.tfm").rename("found.tfm")
""",
    "python": """
import SimpleITK as sitk
import disa
result = disa.global_register("fixed.nii.gz", "moving.nii.gz")
sitk.WriteTransform(result.transform, "found.tfm")
""",
    "simpleitk": """
import SimpleITK as sitk
import disa
fixed, moving = (sitk.ReadImage(f"{name}.nii.gz", sitk.sitkFloat32) for name in ("fixed", "moving"))
method = disa.ImageRegistrationMethod()
method.SetMetricAsDISA()
method.SetOptimizerAsLBFGS2()
method.SetInitialTransform(sitk.Euler3DTransform())
sitk.WriteTransform(method.Execute(fixed, moving), "found.tfm")
""",
    "itk": """
import itk
I = itk.Image[itk.F, 3]
fixed, moving = (itk.imread(f"{name}.nii.gz", itk.F) for name in ("fixed", "moving"))
transform = itk.Euler3DTransform[itk.D].New()
method = itk.ImageRegistrationMethodv4[I, I].New(
    FixedImage=fixed,
    MovingImage=moving,
    Metric=itk.DISAImageToImageMetricv4[I, I].New(),
    Optimizer=itk.LBFGS2Optimizerv4Template[itk.D].New(),
    InitialTransform=transform,
)
method.SetNumberOfLevels(1)
method.SetShrinkFactorsPerLevel([1])
method.SetSmoothingSigmasPerLevel([0])
method.InPlaceOn()
method.Update()
itk.transformwrite([transform], "found.tfm")
""",
}


def write_pair(folder: Path) -> None:
    """fixed.nii.gz and moving.nii.gz: blobs of 64 x 64 x 64 voxels of 2 mm, and the same under other numbers."""
    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(64, 64, 64)).astype(np.float32))
    noise.SetSpacing((2.0, 2.0, 2.0))
    fixed = sitk.SmoothingRecursiveGaussian(noise, 5.0)
    sitk.WriteImage(fixed, str(folder / "fixed.nii.gz"))
    grid = sitk.Image(56, 56, 56, sitk.sitkFloat32)
    grid.SetSpacing((2.2, 2.2, 2.2))
    grid.SetOrigin((1.3, 0.4, 2.1))
    back = sitk.TranslationTransform(3, [-shift for shift in SHIFT_MM])
    shifted = sitk.Resample(fixed, grid, back, sitk.sitkLinear)
    sitk.WriteImage(
        sitk.Exp(shifted * (-1.0 / float(sitk.GetArrayFromImage(fixed).std()))), str(folder / "moving.nii.gz")
    )


def open_door(door: str, folder: Path) -> dict[str, float | str]:
    """Seconds and error of one door, or the last line of what it said."""
    environment = os.environ | {"PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}
    found = folder / "found.tfm"
    found.unlink(missing_ok=True)
    start, busy = time.perf_counter(), processor_seconds()
    ran = subprocess.run(
        [sys.executable, "-c", DOORS[door]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds, busy = time.perf_counter() - start, processor_seconds() - busy
    if ran.returncode != 0:
        return {"failed": (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]}
    centre = np.array((63.0, 63.0, 63.0))
    went = np.subtract(sitk.ReadTransform(str(found)).TransformPoint(centre.tolist()), centre)
    error = float(np.linalg.norm(went - SHIFT_MM))
    return {"seconds": round(seconds, 1), "processor_seconds": round(busy, 1), "error_mm": round(error, 2)}


def processor_seconds() -> float:
    """Of all processes that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def versions() -> dict[str, str]:
    """Of Python and of the packages that are installed."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pair(folder)
        doors = {door: open_door(door, folder) for door in sys.argv[1:] or DOORS}
    print(json.dumps({"versions": versions(), "doors": doors}))
    sys.exit(any(float(door.get("error_mm", "inf")) > TOLERANCE_MM for door in doors.values()))


if __name__ == "__main__":
    main()
