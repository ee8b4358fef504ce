# SPDX-License-Identifier: Apache-2.0
"""`disa register` from files to files, beside greedy and SimpleITK on the same pair; and the time of `disa --help`.

    python benchmarks/command_line.py FIXED MOVING [--error 5 25] [--repeats 3]

The two images share their world space. The moving one is first resampled onto a grid of its own (geometry.turned), then
moved by a known rigid pose, by so many mm on average. Each run is a process of its own that reads both images and
writes the transform and the moved image, so the start of Python counts; greedy's is the command of its users, through
its wheel.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from geometry import centre_of, random_pose, sample_points, turned
from pipelines import register_mattes

DISA = [sys.executable, "-c", "from disa.cli.app import app; app()"]
GREEDY = [sys.executable, "-c", "import sys, picsl_greedy; picsl_greedy.Greedy3D().execute(sys.argv[1])"]
HELPS = 5


def timed(*commands: list[str]) -> tuple[float, float]:
    """Seconds of some processes, one after the other, and the most megabytes that one of them had."""
    start = time.perf_counter()
    megabytes = 0.0
    for command in commands:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
        megabytes = max(megabytes, usage.ru_maxrss / 1024)
    return time.perf_counter() - start, megabytes


def moved_by(image: sitk.Image, pose: sitk.Euler3DTransform) -> sitk.Image:
    """The image with its frame carried by a pose, so that the pose takes its content from where it was."""
    result = sitk.Image(image)
    rotation = np.asarray(pose.GetMatrix()).reshape(3, 3)
    result.SetOrigin(pose.TransformPoint(image.GetOrigin()))
    result.SetDirection((rotation @ np.asarray(image.GetDirection()).reshape(3, 3)).ravel().tolist())
    return result


def run_mattes(fixed: str, moving: str, folder: str) -> None:
    """SimpleITK's script, as its users write it, from centre on centre."""
    images = [sitk.ReadImage(path, sitk.sitkFloat32) for path in (fixed, moving)]
    initial = sitk.CenteredTransformInitializer(
        *images, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    transform = register_mattes(*images, sitk.Euler3DTransform(initial))
    sitk.WriteTransform(transform, f"{folder}/transform.h5")
    sitk.WriteImage(sitk.Resample(images[1], images[0], transform), f"{folder}/moved.nii.gz")


def greedy_transform(path: Path) -> sitk.AffineTransform:
    """greedy's matrix, from fixed to moving points in RAS, in LPS."""
    flip = np.diag((-1.0, -1.0, 1.0, 1.0))
    matrix = flip @ np.loadtxt(path) @ flip
    return sitk.AffineTransform(matrix[:3, :3].ravel().tolist(), matrix[:3, 3].tolist())


def methods(fixed: str, moving: str, folder: str) -> dict[str, tuple[list[list[str]], Callable[[], sitk.Transform]]]:
    """By name, the processes of each and how its transform is read."""
    pair = [fixed, moving]
    rigid = f"-d 3 -a -dof 6 -m NMI -i {fixed} {moving} -ia-image-centers -n 100x50x10 -o {folder}/greedy.mat"
    carry = f"-d 3 -rf {fixed} -rm {moving} {folder}/greedy.nii.gz -r {folder}/greedy.mat"

    def disa(*options: str) -> tuple[list[list[str]], Callable[[], sitk.Transform]]:
        command = [*DISA, "register", *pair, "-o", folder, *options]
        return [command], lambda: sitk.ReadTransform(f"{folder}/transform.h5")

    return {
        "disa register, global": disa(),
        "disa register, local": disa("--search", "local"),
        "disa register, global, then 1 mm": disa("--fine-spacing", "1"),
        "greedy, NMI": ([[*GREEDY, rigid], [*GREEDY, carry]], lambda: greedy_transform(Path(folder) / "greedy.mat")),
        "SimpleITK, Mattes": (
            [[sys.executable, __file__, *pair, "--mattes", folder]],
            lambda: sitk.ReadTransform(f"{folder}/transform.h5"),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fixed")
    parser.add_argument("moving")
    parser.add_argument("--error", type=float, nargs=2, default=(5.0, 25.0), help="least and greatest, mm")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mattes", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.mattes:
        run_mattes(arguments.fixed, arguments.moving, arguments.mattes)
        return
    helps = [timed([*DISA, "--help"])[0] for _ in range(HELPS)]
    print(f"disa --help: {statistics.median(helps):.2f} s (median of {HELPS})\n")
    rng = np.random.default_rng(arguments.seed)
    fixed = sitk.ReadImage(arguments.fixed, sitk.sitkFloat32)
    truth = random_pose(fixed, rng, tuple(arguments.error))
    points = sample_points(fixed)
    print("| method | seconds | megabytes | mean error (mm) |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        sitk.WriteImage(fixed, f"{folder}/fixed.nii.gz")
        moving = turned(sitk.ReadImage(arguments.moving, sitk.sitkFloat32), rng)
        sitk.WriteImage(moved_by(moving, truth), f"{folder}/moving.nii.gz")
        start = np.linalg.norm(centre_of(moved_by(moving, truth)) - centre_of(fixed))
        for name, (commands, read) in methods(f"{folder}/fixed.nii.gz", f"{folder}/moving.nii.gz", folder).items():
            runs = [timed(*commands) for _ in range(arguments.repeats)]
            found = read()
            errors = [
                np.linalg.norm(np.subtract(found.TransformPoint(p), truth.TransformPoint(p))) for p in points.tolist()
            ]
            seconds = statistics.median(seconds for seconds, _ in runs)
            print(f"| {name} | {seconds:.1f} | {max(mb for _, mb in runs):.0f} | {np.mean(errors):.2f} |", flush=True)
    print(f"\nCentres {start:.0f} mm apart at the start; medians of {arguments.repeats} runs, {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
