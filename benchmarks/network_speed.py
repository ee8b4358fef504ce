"""Time and memory of the network through ONNX Runtime, its input and output left on the device and with host copies.

python benchmarks/network_speed.py MODEL.onnx ... --size 256 --provider CUDAExecutionProvider
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort

GPU = "CUDAExecutionProvider"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--size", type=int, default=256, help="voxels a side")
    parser.add_argument("--provider", default="CPUExecutionProvider")
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.provider == GPU:
        ort.preload_dlls()
    volume = np.random.default_rng(0).normal(size=(1, 1, *[arguments.size] * 3)).astype(np.float32)
    print(
        f"{arguments.size}³ voxels, {arguments.provider}, ONNX Runtime {ort.__version__}, {arguments.repeats} repeats"
    )
    print("\n| model | on the device (ms) | with host copies (ms) | memory (GB) | to open (s) |\n|---|---|---|---|---|")
    for path in arguments.models:
        print(f"| {path.name} | {measure(path, volume, arguments.provider, arguments.repeats)} |", flush=True)


def measure(path: Path, volume: np.ndarray, provider: str, repeats: int) -> str:
    """One row's cells: medians with the least of the repeats in brackets."""
    gpu = provider == GPU
    before = gpu_memory() if gpu else 0.0
    options = {"arena_extend_strategy": "kSameAsRequested"} if gpu else {}
    start = time.perf_counter()
    session = ort.InferenceSession(str(path), providers=[(provider, options)])
    opened = time.perf_counter() - start
    device = "cuda" if gpu else "cpu"
    given = ort.OrtValue.ortvalue_from_numpy(volume, device, 0)
    binding = session.io_binding()
    binding.bind_ortvalue_input("volume", given)
    binding.bind_output("descriptors", device)

    def on_device() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    bound = times(on_device, repeats)
    memory = f"{gpu_memory() - before:.2f}" if gpu else ""
    copied = times(lambda: session.run(None, {"volume": volume}), repeats)
    return f"{bound} | {copied} | {memory} | {opened:.2f}"


def times(run: Callable[[], object], repeats: int) -> str:
    for _ in range(3):
        run()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        taken.append(1e3 * (time.perf_counter() - start))
    return f"{statistics.median(taken):.1f} ({min(taken):.1f})"


def gpu_memory() -> float:
    """GB in use on the first GPU, by all processes."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) * 2**20 / 1e9


if __name__ == "__main__":
    main()
