# SPDX-License-Identifier: Apache-2.0
"""Where a similarity's optimum lies: profiles about the true pose, DISA beside LC² and mutual information.

    python benchmarks/landscapes.py FIXED MOVING [FIXED MOVING ...] [-o landscapes.png]

Each pair shares its world space, so the identity is the truth; the moving image is first resampled onto a grid of its
own (`geometry.turned`). Along each of the six rigid parameters, translations of up to 60 mm and rotations of up to 60
degrees about the fixed image's centre, the table gives how far from the truth the highest value lies. LC² is exact, of
both images at 2 mm, each explained by the other, weighted and zero outside as DISA is. Mutual information is ITK's
Mattes with 50 bins, over every voxel that overlaps. Needs PyTorch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
import torch
from geometry import centre_of, turned

import disa
from disa.features.network_grid import covering_grid
from disa.features.preparation import normalize, smooth_for
from disa.features.weights import local_variance
from disa.geometry.grid import Grid
from disa.training.targets.lc2 import MARGIN
from disa.training.targets.lc2_images import lc2_of_images

SPACING = 2.0
MOVING_RATIO = 2 / 5**0.5  # the metric's own
AXES = ("x rotation", "y rotation", "z rotation", "x", "y", "z")
OFFSETS = np.arange(-60.0, 61.0, 4.0)  # degrees or mm
Similarity = Callable[[sitk.Euler3DTransform], float]


def disa_of(fixed: sitk.Image, moving: sitk.Image, smoothing: float) -> Similarity:
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()
    method.SetMetricFixedFeatures(disa.extract_features(fixed, spacing=SPACING))
    method.SetMetricMovingFeatures(
        disa.extract_features(
            moving,
            spacing=MOVING_RATIO * SPACING,
            stride=2,
            smoothing=smoothing * SPACING,
            direction=np.reshape(fixed.GetDirection(), (3, 3)),
        )
    )

    def value(pose: sitk.Euler3DTransform) -> float:
        method.SetInitialTransform(pose)
        return -float(method.MetricEvaluate(fixed, moving))

    return value


def lc2_of(fixed: sitk.Image, moving: sitk.Image) -> Similarity:
    grid = covering_grid(Grid.of(fixed), SPACING)
    inner = (slice(MARGIN, -MARGIN),) * 3
    seen = grid.linear(normalize(smooth_for(fixed, SPACING)), is_continued=True)
    weights = local_variance(seen)[inner]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    target = torch.from_numpy(sitk.GetArrayFromImage(seen)).to(device)
    source = normalize(smooth_for(moving, SPACING))
    ones = sitk.Cast(source * 0 + 1, sitk.sitkFloat32)

    def at(pose: sitk.Transform, image: sitk.Image, outside: float) -> npt.NDArray[np.float32]:
        values: npt.NDArray[np.float32] = sitk.GetArrayFromImage(grid.linear(image, pose, beyond=outside))
        return values

    low = float(sitk.GetArrayFromImage(source).min())

    def value(pose: sitk.Euler3DTransform) -> float:
        other = torch.from_numpy(at(pose, source, low)).to(device)
        both = 0.5 * (lc2_of_images(other, target) + lc2_of_images(target, other)).cpu().numpy()
        return float((weights * both * (at(pose, ones, 0.0)[inner] > 0.5)).sum() / weights.sum())

    return value


def mutual_information_of(fixed: sitk.Image, moving: sitk.Image) -> Similarity:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    method.SetInterpolator(sitk.sitkLinear)

    def value(pose: sitk.Euler3DTransform) -> float:
        method.SetInitialTransform(pose)
        try:
            return -float(method.MetricEvaluate(fixed, moving))
        except RuntimeError:  # hardly any overlap
            return 0.0

    return value


def profile(similarity: Similarity, centre: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
    """Values along one parameter, the others at the truth."""
    values = []
    for offset in OFFSETS:
        parameters = np.zeros(6)
        parameters[axis] = np.deg2rad(offset) if axis < 3 else offset
        pose = sitk.Euler3DTransform(centre.tolist())
        pose.SetParameters(parameters.tolist())
        values.append(similarity(pose))
    return np.asarray(values)


def draw(profiles: dict[str, dict[str, list[npt.NDArray[np.float64]]]], path: Path) -> None:
    """A row a pair and a column a parameter; each curve from 0 at its lowest to 1 at its highest."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(profiles), 6, figsize=(15, 2.2 * len(profiles)), squeeze=False, sharey=True, layout="constrained"
    )
    for row, (pair, curves) in zip(axes, profiles.items(), strict=True):
        for axis, (plot, name) in enumerate(zip(row, AXES, strict=True)):
            for method, values in curves.items():
                plot.plot(OFFSETS, (values[axis] - values[axis].min()) / np.ptp(values[axis]), label=method, lw=1.2)
            plot.axvline(0, color="0.7", lw=0.8, zorder=0)
            plot.set_title(f"{name}, {'degrees' if axis < 3 else 'mm'}", fontsize=9)
            plot.set_yticks([])
        row[0].set_ylabel(pair, fontsize=8)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=9)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("-o", "--output", type=Path, default=Path("landscapes.png"), help="picture to write")
    arguments = parser.parse_args()
    if len(arguments.images) % 2:
        parser.error("give a fixed and a moving image for each pair")

    profiles: dict[str, dict[str, list[npt.NDArray[np.float64]]]] = {}
    print("| pair | similarity | " + " | ".join(f"{a} ({'°' if i < 3 else 'mm'})" for i, a in enumerate(AXES)) + " |")
    print("|---" * 8 + "|")
    for fixed_path, moving_path in zip(arguments.images[::2], arguments.images[1::2], strict=True):
        fixed = sitk.ReadImage(str(fixed_path), sitk.sitkFloat32)
        moving = turned(sitk.ReadImage(str(moving_path), sitk.sitkFloat32), np.random.default_rng(0))
        similarities = {
            "DISA": disa_of(fixed, moving, 12.0),
            "DISA, not smoothed": disa_of(fixed, moving, 0.0),
            "LC²": lc2_of(fixed, moving),
            "mutual information": mutual_information_of(fixed, moving),
        }
        pair = f"{fixed_path.name.split('.')[0]}\n{moving_path.name.split('.')[0]}"
        profiles[pair] = {}
        for name, similarity in similarities.items():
            curves = [profile(similarity, centre_of(fixed), axis) for axis in range(6)]
            profiles[pair][name] = curves
            best = [OFFSETS[c.argmax()] for c in curves]
            print(f"| {pair.replace(chr(10), ' / ')} | {name} | " + " | ".join(f"{b:+.0f}" for b in best) + " |")
    draw(profiles, arguments.output)


if __name__ == "__main__":
    main()
