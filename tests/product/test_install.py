# SPDX-License-Identifier: Apache-2.0
"""What `pip install` gives: the class in the `itk` namespace, the right layout, a clear word to a wrong itk."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import disa
from disa import core
from disa.doors import itk_wheel
from disa.doors.itk import vtables as _vtables


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_classes_are_in_itk_with_no_other_import(tmp_path: Path) -> None:
    path = tmp_path / "pressed.tfm"
    done = run(
        "import itk; I = itk.Image[itk.F, 3]; m = itk.DISAImageToImageMetricv4[I, I].New(); "
        "print(m.GetNameOfClass(), m.GetModel(), m.GetVoxelSpacing(), m.GetFixedStride(), m.GetMovingStride()); "
        f"t = itk.ProbePressureTransform[itk.D].New(Depth=80.0); itk.transformwrite(t, {str(path)!r}); "
        f"print(itk.transformread({str(path)!r})[0].GetDepth())"
    )
    assert done.stdout.split() == ["DISAImageToImageMetricv4", "disa-lc2", "2.0", "4", "2", "80.0"], done.stderr
    assert done.stderr == ""


def test_naming_a_class_loads_no_more_than_it_needs() -> None:
    done = run(
        "import itk, sys; itk.Image[itk.F, 3]; print('disa' in sys.modules); "
        "t = itk.ProbePressureTransform[itk.D].New(Depth=80.0); print(t.GetDepth()); "
        "print('itk._ITKMetricsv4Python' in sys.modules)"
    )
    assert done.stdout.split() == ["False", "80.0", "False"], done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("version", ["6.0.1", "5.3.0", "5.4.0"])
def test_another_itk_version_is_one_clear_import_error(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    with pytest.raises(
        ImportError, match=rf"5\.4\.2 or a later 5\.4, found itk {version}: pip install 'itk>=5\.4\.2,<5\.5'"
    ):
        itk_wheel.check_itk("ITK's metric")


@pytest.mark.parametrize("version", ["5.4.2.post1", "5.4.2", "5.4.10"])
def test_itk_versions_that_fit_pass(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    itk_wheel.check_itk("ITK's metric")


def test_a_missing_itk_is_one_clear_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(disa.DISAError, match=r"needs the Python package itk 5\.4: pip install 'itk>=5\.4\.2,<5\.5'"):
        itk_wheel.check_itk("ITK's metric")


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm reads the libraries' symbol tables; install binutils")
def test_vtables_have_the_installed_wheels_sizes() -> None:
    built = json.loads((Path(disa.__file__).parent / "vtables.json").read_text())
    assert {"itk::Object", "itk::DataObject", "itk::ProcessObject", "itk::MultiThreaderBase"} <= set(built)
    wheel = _vtables.wheel_sizes(Path(importlib.util.find_spec("itk").origin).parent, built)
    assert _vtables.differences(built, wheel) == []
    spoiled = {**built, "itk::MultiThreaderBase": built["itk::MultiThreaderBase"] + 16}
    assert _vtables.differences(spoiled, wheel) == ["itk::MultiThreaderBase: 280 bytes here, 264 in the itk wheel"]


def test_versions_agree() -> None:
    assert disa.__version__ == core._core.__version__ == importlib.metadata.version("itk-disa")


def test_importing_disa_loads_neither_itk_nor_torch() -> None:
    import subprocess

    code = "import sys, disa; print(sorted({'itk', 'torch', 'onnxruntime', 'SimpleITK'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_warns_while_the_package_and_its_command_load() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import disa, disa.cli.app"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
