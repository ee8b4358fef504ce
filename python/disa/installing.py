# SPDX-License-Identifier: Apache-2.0
"""Which packages beside this one are installed, and the commands that bring those that are missing.

The commands name packages of others only, so that they hold however this one was installed.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shlex
import shutil
import sys
from pathlib import Path

RUNTIMES = {"gpu": "onnxruntime-gpu", "openvino": "onnxruntime-openvino", "cpu": "onnxruntime"}
"""ONNX Runtime's packages by the extra that brings them. All write into one folder: only one may be installed."""


def install_command(extra: str) -> str:
    """The pip command that installs what an extra of this package brings, such as pip install 'onnx>=1.16'."""
    try:
        lines = importlib.metadata.requires("itk-disa") or []
    except importlib.metadata.PackageNotFoundError:  # used from its folder
        lines = []
    parts = (line.partition(";") for line in lines)
    wanted = [package.strip() for package, _, marker in parts if re.search(f"extra == ['\"]{extra}['\"]", marker)]
    if not wanted:
        return f"pip install what pyproject.toml names under {extra}"
    return shlex.join(["pip", "install", *wanted])


def installed_runtimes() -> list[str]:
    """Those of ONNX Runtime's packages that pip knows as installed."""
    return [package for package in RUNTIMES.values() if is_installed(package)]


def is_installed(package: str) -> bool:
    """Whether pip knows a package as installed."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def runtime_advice() -> str:
    """The commands that leave this machine with one whole ONNX Runtime, the one that suits it best."""
    command = install_command(suitable_runtime())
    installed = installed_runtimes()
    return f"pip uninstall -y {' '.join(installed)}, then {command}" if installed else command


def suitable_runtime() -> str:
    """The extra with the ONNX Runtime that is fastest here: gpu, openvino or cpu."""
    if has_nvidia_gpu():
        return "gpu"
    is_covered = platform.machine() in ("x86_64", "AMD64") and sys.platform != "darwin" and sys.version_info < (3, 14)
    return "openvino" if is_covered else "cpu"


def has_nvidia_gpu() -> bool:
    """Whether the driver of an NVIDIA GPU is loaded."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
