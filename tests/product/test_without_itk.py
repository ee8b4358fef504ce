# SPDX-License-Identifier: Apache-2.0
"""Without the itk package all works that does not name it, and what does says in one line what to install."""

from __future__ import annotations

import json
from pathlib import Path

import SimpleITK as sitk

from disa.core import _core
from helpers.fresh_python import run
from helpers.images import structured_image

WITHOUT_ITK = """
import importlib.metadata, json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "itk":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def version(name, installed=importlib.metadata.version):
    if name == "itk-core":
        raise importlib.metadata.PackageNotFoundError(name)
    return installed(name)

sys.meta_path.insert(0, Missing())
importlib.metadata.version = version
"""
NO_LIBRARY_OF_ITK = """
assert "/_ITK" not in open("/proc/self/maps").read()
"""
COMMAND = "pip install 'itk>=5.4.2,<5.5'"


def test_the_command_and_the_calls_work(tmp_path: Path) -> None:
    fixed = structured_image((32, 30, 28))
    sitk.WriteImage(fixed, str(tmp_path / "fixed.nii.gz"))
    moving = sitk.Resample(fixed, fixed, sitk.TranslationTransform(3, (-3.0, 2.0, 1.0)))
    sitk.WriteImage(moving, str(tmp_path / "moving.nii.gz"))
    code = f"""
import disa
from disa.cli.app import app

names = ("fixed.nii.gz", "moving.nii.gz")
found = [disa.register(*names).transform, disa.global_register(*names).transform]
app(["register", *names, "-o", "out"], standalone_mode=False)
{NO_LIBRARY_OF_ITK}
print(json.dumps([transform.TransformPoint((0.0, 0.0, 20.0)) for transform in found]))
"""
    said = run(f"{WITHOUT_ITK}\nimport os; os.chdir({str(tmp_path)!r})\n{code}", {}).splitlines()
    ends = [
        *json.loads(said[-1]),
        sitk.ReadTransform(str(tmp_path / "out" / "transform.tfm")).TransformPoint((0, 0, 20)),
    ]
    for end in ends:
        assert all(abs(a - b) < 0.7 for a, b in zip(end, (3.0, -2.0, 19.0), strict=True)), ends


def test_itks_metric_says_what_to_install() -> None:
    message = run(f"{WITHOUT_ITK}\nimport disa.doors.itk.metric", {}, "InstallationError")
    assert message == f"ITK's metric needs the Python package itk 5.4: {COMMAND}"


def test_the_engine_needs_itk_where_it_has_none_inside() -> None:
    code = (
        f"{WITHOUT_ITK}\nimport disa; print(disa.deformable_register.__name__, disa.ImageRegistrationMethod.__name__)"
    )
    if not _core.engine_needs_itk:
        assert run(code + NO_LIBRARY_OF_ITK, {}) == "deformable_register ImageRegistrationMethod"
        return
    message = run(code, {}, "InstallationError")
    engine = "the registration engine of disa.ImageRegistrationMethod and disa.deformable_register"
    assert message == f"{engine} needs the Python package itk 5.4: {COMMAND}"


def test_the_doctor_says_which_doors_can_be_used() -> None:
    code = f"{WITHOUT_ITK}\nfrom disa.cli.diagnosis import diagnose; print(json.dumps(vars(diagnose())))"
    found = json.loads(run(code, {}))
    assert found["failures"] == [] and found["self_test_error_mm"] < 1 and "itk-core" not in found["versions"]
    assert "disa register" in found["doors"] and "ITK's metric" not in found["doors"]
    assert ("SimpleITK's class" in found["doors"]) == (not _core.engine_needs_itk)
    assert sum(COMMAND in line for line in found["missing"]) == 1 + _core.engine_needs_itk
