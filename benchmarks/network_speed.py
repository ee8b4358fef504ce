# SPDX-License-Identifier: Apache-2.0
"""Time and memory of the network through ONNX Runtime: input and output left on the device, and from and to arrays.

    python benchmarks/network_speed.py MODEL.onnx ... --size 256 --provider CUDAExecutionProvider
    python benchmarks/network_speed.py MODEL.onnx ... --size 96 --weights models/disa-lc2.pt
    python benchmarks/network_speed.py MODEL.onnx ... --size 96 --provider OpenVINOExecutionProvider

"As disa runs it" is `disa.network.session.run_network`, which also gives arrays for arrays, with a session of its own.
With weights, PyTorch runs the same network on the same device beside it. Each row has a process of its own, in turn.
Memory is that of the GPU, or the process' largest less what it had with its libraries loaded.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort

from disa.network.session import run_network, with_options

GPU = "CUDAExecutionProvider"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--size", type=int, default=256, help="voxels a side")
    parser.add_argument("--provider", default="CPUExecutionProvider")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--weights", type=Path, help="of the same network, for PyTorch")
    arguments = parser.parse_args()
    print(
        f"{arguments.size}³ voxels, {arguments.provider}, ONNX Runtime {ort.__version__}, {arguments.repeats} repeats"
    )
    print("\n| model | on the device (ms) | with host copies (ms) | as disa runs it (ms) | memory (GB) | to open (s) |")
    print("|---" * 6 + "|")
    for path in arguments.models:
        print(f"| {path.name} | {in_own_process(onnx_runtime, path, arguments)} |", flush=True)
        if arguments.weights:
            print(f"| PyTorch, {path.name} | {in_own_process(pytorch, path, arguments)} |", flush=True)


def in_own_process(row: Callable[[Path, argparse.Namespace], str], path: Path, arguments: argparse.Namespace) -> str:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(row, path, arguments).result()


def onnx_runtime(path: Path, arguments: argparse.Namespace) -> str:
    """One row's cells: medians with the least of the repeats in brackets."""
    gpu = arguments.provider == GPU
    if gpu:
        ort.preload_dlls()
    volume = make_volume(arguments.size)
    before = memory(gpu)
    provider = (GPU, {"arena_extend_strategy": "kSameAsRequested"}) if gpu else with_options(arguments.provider)
    start = time.perf_counter()
    session = ort.InferenceSession(str(path), providers=[provider])
    opened = time.perf_counter() - start
    device = "cuda" if gpu else "cpu"
    given = ort.OrtValue.ortvalue_from_numpy(volume, device, 0)
    binding = session.io_binding()
    binding.bind_ortvalue_input("volume", given)
    binding.bind_output("descriptors", device)

    def on_device() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    bound = times(on_device, arguments.repeats)
    used = memory(gpu) - before
    copied = times(lambda: session.run(None, {"volume": volume}), arguments.repeats)
    stride = int(session.get_modelmeta().custom_metadata_map["stride"])
    own = times(lambda: run_network(volume[0, 0], path, stride, [arguments.provider]), arguments.repeats)
    return f"{bound} | {copied} | {own} | {used:.2f} | {opened:.2f}"


def pytorch(path: Path, arguments: argparse.Namespace) -> str:
    """The same of the network as it was trained, neither compiled nor in half precision."""
    import torch

    from disa.training.model.network import load_weights

    gpu = arguments.provider == GPU
    device = torch.device("cuda" if gpu else "cpu")
    stride = int(ort.InferenceSession(str(path)).get_modelmeta().custom_metadata_map["stride"])
    volume = torch.from_numpy(make_volume(arguments.size))
    before = memory(gpu)
    start = time.perf_counter()
    network = load_weights(str(arguments.weights), stride=stride).to(device).eval()
    opened = time.perf_counter() - start
    given = volume.to(device)

    def on_device() -> None:
        network(given)
        if gpu:
            torch.cuda.synchronize()

    with torch.inference_mode():
        bound = times(on_device, arguments.repeats)
        used = memory(gpu) - before
        copied = times(lambda: network(volume.to(device)).cpu(), arguments.repeats)
    return f"{bound} | {copied} | | {used:.2f} | {opened:.2f}"


def make_volume(size: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1, 1, *[size] * 3)).astype(np.float32)


def times(run: Callable[[], object], repeats: int) -> str:
    for _ in range(3):
        run()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        taken.append(1e3 * (time.perf_counter() - start))
    return f"{statistics.median(taken):.1f} ({min(taken):.1f})"


def memory(gpu: bool) -> float:
    """GB in use on the first GPU, by all processes, or this process' largest so far."""
    if not gpu:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) * 2**20 / 1e9


if __name__ == "__main__":
    main()
