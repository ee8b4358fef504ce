# SPDX-License-Identifier: Apache-2.0
"""Networks that others made, opened and run by another process first: some end the process, or never end.

A checksum says that a file is what its writer wrote, and not that a runtime survives it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from disa.errors import ModelError

SHIPPED = Path(__file__).parents[1] / "models"
"""Folder of the models that come with the package, which are not tried."""

PATIENCE = 60.0
"""Seconds that a network has for a volume of `SIZES`."""

SIZES = ((24, 20, 28), (32, 32, 32))
"""Voxels of the volumes, the first that it takes; some networks need sides that are multiples of 32."""

_survived: set[tuple[str, tuple[str, ...]]] = set()
"""SHA-256 and providers of the networks that another process has run."""

_KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
_CHILD = (
    "import json, sys; sys.path[:] = sys.argv[2:]; from disa.network.child_trial import run_once; "
    "run_once(sys.stdin.buffer.read(), json.loads(sys.argv[1]))"
)


def try_in_child(content: bytes, path: Path, providers: Sequence[str]) -> None:
    """Have another process open a network and run it once; once for each content and provider.

    Args:
        content: of an .onnx file.
        path: what messages call it.
        providers: ONNX Runtime execution providers, best first; empty: as is available.

    Raises:
        ModelError: the process dies, or does not end.
    """
    key = (hashlib.sha256(content).hexdigest(), tuple(providers))
    if key in _survived:
        return
    fate = _fate(content, providers)
    if fate:
        raise ModelError(f"{path}: {fate}; export or seal it again from a network that runs")
    _survived.add(key)


def _fate(content: bytes, providers: Sequence[str]) -> str:
    """What becomes of the process; empty: it ends well."""
    command = [sys.executable, "-I", "-c", _CHILD, json.dumps(list(providers)), *sys.path]
    try:
        tried = subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"running it does not end within {PATIENCE:g} s"
    return f"ends the process that runs it by signal {-tried.returncode}" if tried.returncode < 0 else ""


def run_once(content: bytes, providers: Sequence[str]) -> None:
    """What the other process does; what it says of the network does not count, for this one will say it too."""
    from disa.network.providers import CPU, GPU
    from disa.network.session import first_provider, open_unsealed

    try:
        if first_provider(providers) == GPU:  # whose start takes seconds, and which other processes may hold
            providers = [CPU]
        session = open_unsealed(content, Path("model.onnx"), tuple(providers))
        given = session.get_inputs()[0]
    except (ModelError, IndexError):
        return
    for size in SIZES:
        try:
            session.run(None, {given.name: np.zeros((1, 1, *size), _KINDS.get(given.type, np.float32))})
        except Exception:  # noqa: BLE001 (ONNX Runtime's own, which share no base)
            continue
        return
