# SPDX-License-Identifier: Apache-2.0
"""Peak memory that the descriptors of a volume take, by its limit: `python benchmarks/memory.py 300 300 60`.

The volume is noise at 2 mm. Each row is a process of its own, and counts what it takes beyond a small volume's.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time

import numpy as np
import SimpleITK as sitk

import disa


def peak() -> float:
    """Of this process so far, in bytes."""
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def noise(size: list[int]) -> sitk.Image:
    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=size[::-1]).astype(np.float32))
    image.SetSpacing((2.0, 2.0, 2.0))
    return image


def measure(size: list[int], stride: int, provider: str) -> None:
    """Print a row's last two cells."""
    options = {"spacing": 2.0, "stride": stride, "providers": [provider]}
    disa.extract_features(noise([12, 12, 12]), **options)
    image = noise(size)
    before, start = peak(), time.perf_counter()
    try:
        disa.extract_features(image, **options)
        print(f"{(peak() - before) / 2**30:.2f} | {time.perf_counter() - start:.1f} |")
    except disa.ImageError:
        print("refused | |")


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=int, nargs=3, help="voxels along x, y and z")
    parser.add_argument("--limits", nargs="+", default=["1G", "2G", "4G", ""], help="values of DISA_MEMORY")
    parser.add_argument("--strides", type=int, nargs="+", default=[4, 2, 1])
    parser.add_argument("--provider", default="CPUExecutionProvider")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        measure(arguments.size, arguments.strides[0], arguments.provider)
        return
    print("| size | stride | DISA_MEMORY | peak (GB) | seconds |\n|---|---|---|---|---|")
    size = [str(n) for n in arguments.size]
    for stride in arguments.strides:
        for limit in arguments.limits:
            command = [sys.executable, __file__, *size, "--child", "--strides", str(stride)]
            command += ["--provider", arguments.provider]
            environment = {**os.environ, "DISA_MEMORY": limit}
            said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            print(f"| {' x '.join(size)} | {stride} | {limit or 'not set'} | {said.strip()}", flush=True)


if __name__ == "__main__":
    main()
