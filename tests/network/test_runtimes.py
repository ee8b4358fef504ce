# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's packages, none, one, two at once or half of one, and what is said of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import disa
from disa import installing
from disa.cli.diagnosis import Diagnosis, _look_at_runtime
from disa.network.session import CPU, GPU, available_providers


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in place of all that Python imports from, on an Intel machine without a GPU."""
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(installing, "suitable_runtime", lambda: "openvino")
    yield tmp_path
    sys.modules.pop("onnxruntime", None)


def install(site: Path, *packages: str, module: str | None = None) -> None:
    """What pip knows of packages, and their common module if they have one."""
    for package in packages:
        record = site / f"{package.replace('-', '_')}-1.30.0.dist-info"
        record.mkdir()
        (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.30.0\n")
    (site / "onnxruntime" / "capi").mkdir(parents=True, exist_ok=True)
    if module is not None:
        (site / "onnxruntime" / "__init__.py").write_text(module)


def said() -> str:
    with pytest.raises(disa.ModelError) as caught:
        available_providers()
    return str(caught.value)


def test_none_is_named_with_the_one_that_suits(site: Path) -> None:
    assert said().startswith("ONNX Runtime is not installed: pip install ")


def test_one_that_lost_its_files_is_not_usable(site: Path) -> None:
    install(site, "onnxruntime-openvino")
    assert said().startswith("onnxruntime-openvino is installed but not usable (")
    assert ": pip uninstall -y onnxruntime-openvino, then pip install " in said()


def test_an_import_error_without_words_is_named_by_its_type(site: Path) -> None:
    install(site, "onnxruntime", module="raise ImportError")
    assert said().startswith("onnxruntime is installed but not usable (ImportError): ")


def test_two_that_spoilt_each_other_are_both_to_go(site: Path) -> None:
    install(site, "onnxruntime", "onnxruntime-gpu")
    assert said().startswith("onnxruntime-gpu and onnxruntime are installed at once and spoil each other's files: ")
    assert "pip uninstall -y onnxruntime-gpu onnxruntime, then pip install " in said()


@pytest.mark.parametrize(
    ("packages", "suits", "providers", "missing", "failures"),
    [
        (["onnxruntime"], "cpu", [CPU], "", ""),
        (["onnxruntime"], "openvino", [CPU], "no OpenVINO", ""),
        (["onnxruntime"], "gpu", [CPU], "no CUDA", ""),
        (["onnxruntime-gpu"], "gpu", [GPU, CPU], "", ""),
        (["onnxruntime-gpu"], "openvino", [GPU, CPU], "", ""),
        (["onnxruntime", "onnxruntime-gpu"], "gpu", [GPU, CPU], "", "installed at once"),
    ],
)
def test_the_doctor_recommends_what_the_machine_can_use(
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    packages: list[str],
    suits: str,
    providers: list[str],
    missing: str,
    failures: str,
) -> None:
    install(site, *packages, module=f"def get_available_providers(): return {providers}")
    monkeypatch.setattr("disa.cli.diagnosis.suitable_runtime", lambda: suits)
    monkeypatch.setattr(installing, "suitable_runtime", lambda: suits)
    found = Diagnosis()
    _look_at_runtime(found)
    assert found.providers == providers
    for lines, text in ((found.missing, missing), (found.failures, failures)):
        assert len(lines) == bool(text) and all(text in line for line in lines)


def test_what_an_extra_brings_is_named_package_by_package() -> None:
    assert installing.install_command("seal") == "pip install 'onnx>=1.16'"
    assert installing.install_command("train").startswith("pip install 'torch>=2.4' 'onnx>=1.16' onnxscript ")


def test_no_message_names_the_package_as_if_it_were_in_an_index() -> None:
    texts = [path for path in Path(disa.__file__).parent.rglob("*.py") if "pip install 'itk-disa" in path.read_text()]
    assert texts == []
