"""The tutorial scripts in examples/simpleitk run, and find what was done to the moving image."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import SimpleITK as sitk

from helpers.displaced import centre_of
from helpers.images import rotation, structured_image
from helpers.paths import EXAMPLES

SCRIPTS = EXAMPLES / "simpleitk"


@pytest.fixture(scope="module")
def fixed() -> sitk.Image:
    return structured_image((56, 52, 48), seed=3)


def moved_by(fixed: sitk.Image, truth: sitk.Transform) -> sitk.Image:
    """The fixed image where the transform takes it, other intensities, on a turned and shifted grid."""
    direction, size, spacing = rotation(6, -5, 7), (72, 68, 64), 2.1
    middle = np.add(truth.TransformPoint(centre_of(fixed)), (0.7, -0.9, 0.5))
    origin = middle - direction @ ((np.asarray(size) - 1) / 2 * spacing)
    grid = (size, origin.tolist(), (spacing,) * 3, direction.ravel().tolist())
    if truth.GetName() == "DisplacementFieldTransform":
        field = sitk.TransformToDisplacementField(truth, sitk.sitkVectorFloat64, *grid)
        backwards = sitk.DisplacementFieldTransform(
            sitk.InvertDisplacementField(field, maximumNumberOfIterations=50, maxErrorToleranceThreshold=0.01)
        )
    else:
        backwards = truth.GetInverse()
    size, origin, spacings, axes = grid
    return -1.0 * sitk.Resample(fixed, size, backwards, sitk.sitkLinear, origin, spacings, axes, 0.0)


def bend(fixed: sitk.Image) -> sitk.DisplacementFieldTransform:
    """Most in the middle, nothing at the border."""
    spline = sitk.BSplineTransformInitializer(fixed, [4, 4, 4])
    size = spline.GetCoefficientImages()[0].GetSize()
    nodes = np.zeros((3, *size[::-1]))
    nodes[:, 2:5, 2:5, 2:5] = np.reshape((9.0, -8.0, 8.0), (3, 1, 1, 1))
    spline.SetParameters(nodes.ravel().tolist())
    padded = sitk.ConstantPad(fixed, [24] * 3, [24] * 3)
    return sitk.DisplacementFieldTransform(
        sitk.TransformToDisplacementField(
            spline,
            sitk.sitkVectorFloat64,
            padded.GetSize(),
            padded.GetOrigin(),
            padded.GetSpacing(),
            padded.GetDirection(),
        )
    )


def mean_error(found: sitk.Transform, truth: sitk.Transform, fixed: sitk.Image) -> float:
    """Mean distance in mm over the inner half of the image."""
    axes = [np.linspace(0.25 * n, 0.75 * n, 5) for n in fixed.GetSize()]
    points = [
        fixed.TransformContinuousIndexToPhysicalPoint(index)
        for index in np.stack(np.meshgrid(*axes), -1).reshape(-1, 3).tolist()
    ]
    return float(
        np.mean([np.linalg.norm(np.subtract(found.TransformPoint(p), truth.TransformPoint(p))) for p in points])
    )


def run(name: str, fixed: sitk.Image, truth: sitk.Transform, folder: Path, output: str, *more: str) -> sitk.Transform:
    paths = [str(folder / "fixed.nii.gz"), str(folder / "moving.nii.gz"), str(folder / output)]
    sitk.WriteImage(sitk.Cast(fixed, sitk.sitkInt16), paths[0])
    sitk.WriteImage(sitk.Cast(moved_by(fixed, truth), sitk.sitkInt16), paths[1])
    matplotlib.use("Agg")
    arguments, sys.argv = sys.argv, [name, *paths, *more]
    try:
        runpy.run_path(str(SCRIPTS / name), run_name="__main__")
    finally:
        sys.argv = arguments
    if output.endswith(".nii.gz"):
        return sitk.DisplacementFieldTransform(sitk.ReadImage(paths[2], sitk.sitkVectorFloat64))
    return sitk.ReadTransform(paths[2])


def euler(fixed: sitk.Image, degrees: tuple[float, float, float]) -> sitk.Euler3DTransform:
    return sitk.Euler3DTransform(centre_of(fixed), *np.deg2rad(degrees).tolist(), (4.0, -3.0, 2.5))


def test_rigid_with_metric_plot(fixed: sitk.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = euler(fixed, (4, -3, 5))
    found = run("rigid_with_metric_plot.py", fixed, truth, tmp_path, "found.tfm", str(tmp_path / "plot.png"))
    assert mean_error(found, truth, fixed) < 1.5
    said = capsys.readouterr().out
    assert {"level 0", "level 1", "level 2"} <= {line[:7] for line in said.splitlines()}
    assert "stop condition: RegularStepGradientDescentOptimizerv4" in said
    assert (tmp_path / "plot.png").stat().st_size > 5000


@pytest.mark.slow
def test_rigid_in_two_stages(fixed: sitk.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = euler(fixed, (8, -7, 9))
    found = run("rigid_in_two_stages.py", fixed, truth, tmp_path, "found.tfm")
    assert [line[:5] for line in capsys.readouterr().out.splitlines()] == ["2 mm:", "1 mm:"]
    assert mean_error(found, truth, fixed) < 0.7


def test_composite_transforms(fixed: sitk.Image, tmp_path: Path) -> None:
    truth = sitk.AffineTransform(3)
    truth.SetCenter(centre_of(fixed))
    truth.SetMatrix((rotation(4, -3, 5) @ np.diag([1.05, 0.96, 1.04])).ravel().tolist())
    truth.SetTranslation((3.0, -2.0, 1.5))
    found = run("composite_transforms.py", fixed, truth, tmp_path, "found.tfm")
    assert mean_error(found, truth, fixed) < 1.5


def test_exhaustive_initialisation(fixed: sitk.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = euler(fixed, (2, -2, 31))
    found = run("exhaustive_initialisation.py", fixed, truth, tmp_path, "found.tfm")
    assert "best start: +30.0 degrees" in capsys.readouterr().out
    assert mean_error(found, truth, fixed) < 2.0


@pytest.mark.parametrize(
    ("name", "output"), [("bspline_multiresolution.py", "found.tfm"), ("displacement_field.py", "found.nii.gz")]
)
def test_deformations(name: str, output: str, fixed: sitk.Image, tmp_path: Path) -> None:
    truth = bend(fixed)
    before = mean_error(sitk.Transform(3, sitk.sitkIdentity), truth, fixed)
    assert before > 2.0
    assert mean_error(run(name, fixed, truth, tmp_path, output), truth, fixed) < 0.6 * before


def test_every_script_differs_from_simpleitks_by_its_class_and_its_metric() -> None:
    scripts = sorted(SCRIPTS.glob("*.py"))
    assert len(scripts) == 6
    for script in scripts:
        code = [line.split("#")[0].strip() for line in script.read_text().split('"""', 2)[-1].splitlines()]
        changed = [line for line in code if "disa" in line.lower()]
        assert changed[:3] == ["import disa", "method = disa.ImageRegistrationMethod()", "method.SetMetricAsDISA()"]
        assert all(line.startswith("method.SetMetricAsDISA(") for line in changed[3:])
