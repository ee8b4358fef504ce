# SPDX-License-Identifier: Apache-2.0
"""The network through ONNX Runtime: sessions kept warm, large volumes in slabs."""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from disa.errors import ModelError
from disa.installing import installed_runtimes, runtime_advice
from disa.network.child_trial import SHIPPED, try_in_child
from disa.network.footprint import bytes_a_voxel, bytes_about, too_large, voxels_at_once
from disa.network.gpu import CHANNELS, run_bound
from disa.network.providers import CPU, GPU, OPENVINO
from disa.network.seal import read_sealed
from disa.network.slabs import in_slabs
from disa.network.strides import DERIVED, STRIDES, at_stride
from disa.threads import check_threads_start

if TYPE_CHECKING:
    import onnxruntime

BEST_FIRST = (GPU, OPENVINO, CPU)

LARGEST_STRIDE = max(STRIDES)

RECEPTIVE_RADIUS = 24
"""Voxels on each side that a descriptor of disa-lc2 can see (22), rounded up to a multiple of every stride."""

FINGERPRINT_DIGITS = 8


def run_network(
    volume: npt.NDArray[np.float32],
    path: Path,
    stride: int,
    providers: Sequence[str] | None = None,
    maximum_voxels: int | None = None,
) -> npt.NDArray[np.float32]:
    """Descriptors of a normalised volume.

    Args:
        volume: shape (z, y, x), zero mean and unit deviation.
        path: the .onnx file.
        stride: the file's stride, or any where the file says that others are derived from its own.
        providers: ONNX Runtime execution providers, best first; None or empty: CUDA, OpenVINO or the CPU, the first
            that is available.
        maximum_voxels: largest input run at once; None: by stride, provider and `DISA_MEMORY`.

    Returns:
        Array of shape (z', y', x', 16) with z' = ceil(z / stride), norms of 1 or less.

    Raises:
        ModelError: ONNX Runtime or a provider is missing, or the file is not a DISA network of that stride.
        ImageError: the descriptors take more memory than there may be.
    """
    session = open_session(path, stride, tuple(providers or ()))
    own = int(session.get_modelmeta().custom_metadata_map["stride"])
    radius = _receptive_radius(session)
    at_once = maximum_voxels or _voxels_at_once(session, path, volume, own, is_whole=radius is None)

    def run_part(part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        found: npt.NDArray[np.float32] = _run(session, path, np.ascontiguousarray(part), own)
        expected = (*(-(-n // own) for n in part.shape), CHANNELS)
        if found.shape != expected:
            raise ModelError(f"{path}: gave descriptors of shape {found.shape}; expected {expected}")
        return found

    def run(shown: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return in_slabs(run_part, shown, own, radius, at_once)

    return run(volume) if own == stride else at_stride(run, volume, own, stride)


def _voxels_at_once(
    session: onnxruntime.InferenceSession, path: Path, volume: npt.NDArray[np.float32], stride: int, is_whole: bool
) -> int:
    """As many as are fast and fit. Raises ImageError where all of them, or of those of a whole network, do not fit."""
    provider = session.get_providers()[0]
    at_once, fitting = voxels_at_once(volume.shape, stride, provider, "image")
    if is_whole and volume.size > fitting:
        needed = bytes_about(volume.shape, stride) + volume.size * bytes_a_voxel(stride, provider)
        raise too_large(volume.shape, needed, f"image, which {path.name} sees in one piece")
    return at_once


def _receptive_radius(session: onnxruntime.InferenceSession) -> int | None:
    """Voxels on each side that a descriptor of a network can see, in whole cells; None: all of the volume."""
    said = session.get_modelmeta().custom_metadata_map.get("receptive_field", "0")
    if not re.fullmatch("[0-9]{1,6}", said):
        return None
    return max(RECEPTIVE_RADIUS, -(-int(said) // (2 * LARGEST_STRIDE)) * LARGEST_STRIDE)


def _run(session: onnxruntime.InferenceSession, path: Path, volume: npt.NDArray[np.float32], stride: int) -> Any:
    try:
        if session.get_providers()[0] == GPU:
            return run_bound(session, volume, stride)
        return session.run(None, {session.get_inputs()[0].name: volume[None, None]}, _run_options(session))[0]
    except Exception as error:  # noqa: BLE001 (ONNX Runtime's own, which share no base)
        raise ModelError(f"{path}: the network failed on a volume of {volume.shape} voxels: {_line(error)}") from None


def _run_options(session: onnxruntime.InferenceSession) -> onnxruntime.RunOptions | None:
    """On the CPU, memory goes back to the system after a run: the session stays open, and the next image differs."""
    if session.get_providers()[0] != CPU:
        return None
    import onnxruntime as ort

    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


@functools.lru_cache(maxsize=8)
def open_session(path: Path, stride: int, providers: tuple[str, ...]) -> onnxruntime.InferenceSession:
    """A session for a model file, opened once and kept. Raises ModelError as `run_network` does."""
    session = _load(path, providers)
    if providers and session.get_providers()[0] != providers[0]:
        raise ModelError(
            f"execution provider {providers[0]} is installed but does not start here; check its driver and libraries"
        )
    with _in_utf8(path):
        _check_network(session, path, stride)
    return session


def _load(path: Path, providers: tuple[str, ...]) -> onnxruntime.InferenceSession:
    _onnxruntime()
    content = read_sealed(path)
    if path.parent != SHIPPED:
        try_in_child(content, path, providers)
    return open_unsealed(content, path, providers)


def open_unsealed(content: bytes, path: Path, providers: tuple[str, ...]) -> onnxruntime.InferenceSession:
    """A session for any network.

    Args:
        content: of the model file, whoever wrote it.
        path: what messages call it.
        providers: ONNX Runtime execution providers, best first; empty: as is available.

    Raises:
        ModelError: ONNX Runtime or a provider is missing, or it does not read the network.
    """
    ort = _onnxruntime()
    check_threads_start()
    chosen = _choose_providers(ort.get_available_providers(), providers)
    if GPU in chosen and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = allowed_threads()
    try:
        return ort.InferenceSession(content, options, providers=[with_options(provider) for provider in chosen])
    except Exception as error:  # noqa: BLE001
        raise ModelError(f"{path}: not a network that ONNX Runtime reads: {_line(error)}") from None


def with_options(provider: str) -> str | tuple[str, dict[str, str]]:
    """OpenVINO in bfloat16 where the processor multiplies matrices in it, which errs by as much as 8-bit descriptors.

    Its threads are not tied to cores, for several processes would tie theirs to the same.
    """
    if provider != OPENVINO:
        return provider
    precision = "bf16" if _multiplies_bfloat16() else "f32"
    settings = {"CPU": {"INFERENCE_PRECISION_HINT": precision, "ENABLE_CPU_PINNING": "NO"}}
    threads = allowed_threads() or os.cpu_count() or 1
    return provider, {"device_type": "CPU", "num_of_threads": str(threads), "load_config": json.dumps(settings)}


def _multiplies_bfloat16() -> bool:
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def network_metadata(path: Path, stride: int, providers: Sequence[str] | None = None) -> dict[str, str]:
    """What a network says of itself. Raises ModelError as `run_network` does."""
    about: dict[str, str] = open_session(path, stride, tuple(providers or ())).get_modelmeta().custom_metadata_map
    return about


def network_fingerprint(path: Path, stride: int, providers: Sequence[str] | None = None) -> str | None:
    """First 8 digits of the SHA-256 of a network's weights, the same for all its strides and precisions.

    None if the file does not say. Raises ModelError as `run_network` does.
    """
    digest = network_metadata(path, stride, providers).get("weights_sha256", "")
    return digest[:FINGERPRINT_DIGITS] if re.fullmatch("[0-9a-f]{64}", digest) else None


def allowed_threads() -> int:
    """Threads of a session, by OMP_NUM_THREADS or the cores that the process is held to; 0: as many as there are."""
    value = os.environ.get("OMP_NUM_THREADS", "")
    if value.isdigit():
        return int(value)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    return cores if cores < (os.cpu_count() or 1) else 0


def first_provider(providers: Sequence[str] | None) -> str:
    """The first of these providers, or of those taken in their place. Raises ModelError as `run_network`."""
    if isinstance(providers, str):
        raise ModelError(f"providers: expected a list of names, got the text {providers!r}")
    return _choose_providers(available_providers(), tuple(providers or ()))[0]


def processor_providers() -> list[str]:
    """Those that run on the processor, best first. Raises ModelError where there is no ONNX Runtime."""
    return [provider for provider in (OPENVINO, CPU) if provider in available_providers()]


def available_providers() -> list[str]:
    """Execution providers of the installed ONNX Runtime, best first. Raises ModelError where there is none."""
    providers: list[str] = _onnxruntime().get_available_providers()
    return providers


def model_metadata(path: Path) -> dict[str, str]:
    """The metadata of an .onnx file. Raises ModelError where it cannot be read."""
    session = _load(path, (CPU,))
    with _in_utf8(path):
        about: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return about


def _onnxruntime() -> ModuleType:
    try:
        runtime: ModuleType = importlib.import_module("onnxruntime")
        runtime.get_available_providers()
    except (ImportError, AttributeError, OSError) as error:  # AttributeError: of a folder that lost its files
        installed = installed_runtimes()
        if len(installed) > 1:
            state = f"{' and '.join(installed)} are installed at once and spoil each other's files"
        elif installed:
            state = f"{installed[0]} is installed but not usable ({_line(error) or type(error).__name__})"
        else:
            state = "ONNX Runtime is not installed"
        raise ModelError(f"{state}: {runtime_advice()}") from None
    return runtime


def _choose_providers(available: Sequence[str], wanted: Sequence[str]) -> list[str]:
    for provider in wanted:
        if provider not in available:
            raise ModelError(
                f"execution provider {provider} is not in this ONNX Runtime; expected one of {', '.join(available)}"
            )
    if wanted:
        return list(wanted)
    return [p for p in BEST_FIRST if p in available]


def _check_network(session: onnxruntime.InferenceSession, path: Path, stride: int) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = (
        len(inputs) == len(outputs) == 1
        and len(inputs[0].shape) == 5
        and len(outputs[0].shape) == 4
        and outputs[0].shape[-1] == CHANNELS
        and inputs[0].type == "tensor(float)"
    )
    if not fits:
        raise ModelError(
            f"{path}: not a DISA network; expected float input (1, 1, z, y, x) and output (z, y, x, {CHANNELS})"
        )
    about = session.get_modelmeta().custom_metadata_map
    written = about.get("stride")
    if about.get("other_strides") == DERIVED and written in map(str, STRIDES):
        return
    if written != str(stride):
        raise ModelError(
            f"{path}: stride {stride} was asked for, the file has stride {written}; expected a file of each stride "
            "side by side"
        )


@contextmanager
def _in_utf8(path: Path) -> Iterator[None]:
    """ONNX Runtime hands out texts of a model as they are."""
    try:
        yield
    except UnicodeDecodeError:
        raise ModelError(f"{path}: its texts are not UTF-8; expected a file written by disa export") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
