"""Known smooth deformations of one image of a pair, recovered by DISA, MIND-SSC and SimpleITK's Mattes B-spline.

    python benchmarks/deformable.py FIXED MOVING [FIXED MOVING ...] [--amplitudes 5 10 20]

The moving image is deformed by a Gaussian random field (benchmarks/fields.py) and resampled onto a grid turned by up to
15 degrees an axis and shifted. *Error*: mean distance from the truth over points of the fixed image's body, if the
pair is aligned as it comes. *Recovered*: from the field put upon what the same method makes of the undeformed pair, on
another turned grid, so that a wrong reference does not enter; what does nothing has the field's mean length. Folds:
share of 4 mm cells with a corner whose Jacobian determinant is 0 or less. Dice: of masks `*_gtv.nii.gz` beside the
images.

Rows *search* are the first stage alone, in steps of 8 mm with descriptors averaged to 8 mm, as in the paper's Table 2:
the same algorithm with DISA of stride 4 and with MIND-SSC, whose couplings are DISA's times the number given.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from fields import body_points, inverse_points, move, random_field, transform_points
from geometry import turned
from mind import as_features, averaged, mind_ssc

import disa
from disa import deformable as steps
from disa.core import _core
from disa.displacement_fields import Lattice, corner_determinants, sample, to_transform
from disa.features import normalize
from disa.resampling import MARGIN, Grid, covering_grid, smooth_for

SPACING = 2.0
Method = Callable[[sitk.Image, sitk.Image], sitk.Transform]


def full(stride: int) -> Method:
    return lambda fixed, moving: disa.deformable_register(fixed, moving, stride=stride).transform


def disa_search(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    task = steps._Task.open(fixed, moving, None, 4, None, None, "disa-lc2", SPACING, None, 0)
    task.search(steps.CONTROL_STRIDE, 24.0, False)
    return task.transform


def mind_search(factor: float) -> Method:
    """Averaged to 8 mm, steps of 8 mm, weights all 1, as published."""

    def describe(image: sitk.Image, grid: Grid) -> disa.FeatureVolume:
        normal = normalize(smooth_for(image, SPACING))
        frame = (grid.size, sitk.Transform(), sitk.sitkLinear, grid.origin.tolist(), (SPACING,) * 3)
        axes = grid.direction.ravel().tolist()
        volume = sitk.GetArrayFromImage(sitk.Resample(normal, *frame, axes, 0.0, sitk.sitkFloat32, True))
        ones = sitk.Cast(normal * 0 + 1, sitk.sitkUInt8)
        seen = sitk.GetArrayFromImage(sitk.Resample(ones, *frame[:2], sitk.sitkNearestNeighbor, *frame[3:], axes, 0.0))
        inside = seen[::4, ::4, ::4] > 0
        like = {"origin": grid.origin, "spacing": (4 * SPACING,) * 3, "direction": grid.direction.ravel()}
        return as_features(averaged(mind_ssc(volume), 4), inside, like)

    def register(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
        outer = covering_grid(fixed, SPACING)
        grids = []
        for margin in (MARGIN, MARGIN - 24):  # the fixed grid without its margin, and 24 voxels more on every side
            size = tuple(n - 2 * margin for n in outer.size)
            origin = outer.origin + outer.direction @ np.full(3, margin * SPACING)
            grids.append(Grid(size, origin, SPACING, outer.direction))
        a, b = describe(fixed, grids[0]), describe(moving, grids[1])
        search = _core.DisplacementSearch(a, b, control_spacing=1, step=1, radius=3)
        found = 8.0 * search.run([factor * c * 64.0 for c in steps.COUPLINGS]).astype(float)
        return to_transform(found, Lattice(search.shape[::-1], grids[0].origin, 8.0, outer.direction), 1)

    return register


def mattes(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """SimpleITK's B-spline example: Mattes, gradient descent with line search, meshes down to some 25 mm."""
    size = np.asarray(fixed.GetSize()) * np.asarray(fixed.GetSpacing())
    transform = sitk.BSplineTransformInitializer(fixed, [max(1, round(s / 50.0)) for s in size.tolist()], 3)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.2, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescentLineSearch(5.0, 100, convergenceMinimumValue=1e-4, convergenceWindowSize=5)
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([4, 2])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransformAsBSpline(transform, True, [1, 2])
    low = float(sitk.GetArrayViewFromImage(moving).min())
    try:
        return method.Execute(fixed, sitk.Cast(moving - low, sitk.sitkFloat32))
    except RuntimeError:  # too many samples map outside
        return sitk.Transform()


METHODS: dict[str, Method] = {
    "identity": lambda fixed, moving: sitk.Transform(),
    "DISA, stride 4": full(4),
    "DISA, stride 2": full(2),
    "DISA, stride 1": full(1),
    "DISA, search": disa_search,
    **{f"MIND-SSC, search x {factor:g}": mind_search(factor) for factor in (0.1, 0.3, 1.0)},
    "B-spline, Mattes": mattes,
}


def folds_of(transform: sitk.Transform, image: sitk.Image) -> float:
    grid = covering_grid(image, 4.0)
    size = tuple(int(n) - 2 * MARGIN for n in grid.size)
    lattice = Lattice(size, grid.origin + grid.direction @ np.full(3, MARGIN * 4.0), 4.0, grid.direction)
    return float((corner_determinants(sample(transform, lattice), 4.0) <= 0).any(axis=-1).mean())


def dice_of(transform: sitk.Transform, fixed: sitk.Image | None, moving: sitk.Image | None) -> float:
    if fixed is None or moving is None:
        return float("nan")
    a = sitk.GetArrayViewFromImage(fixed) > 0
    b = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkNearestNeighbor, 0.0)) > 0
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def mask_of(path: Path) -> sitk.Image | None:
    beside = path.with_name(path.name.replace(".nii.gz", "_gtv.nii.gz"))
    return sitk.ReadImage(str(beside), sitk.sitkFloat32) if beside.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--amplitudes", type=float, nargs="+", default=[5.0, 10.0, 20.0], help="mm")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    arguments = parser.parse_args()

    rows: dict[tuple[str, float], list[list[float]]] = defaultdict(list)
    for pair, (f, m) in enumerate(zip(arguments.images[::2], arguments.images[1::2], strict=True)):
        fixed, image = sitk.ReadImage(str(f), sitk.sitkFloat32), sitk.ReadImage(str(m), sitk.sitkFloat32)
        masks = mask_of(f), mask_of(m)
        points = body_points(fixed)
        undeformed = turned(image, np.random.default_rng([pair, 0]))
        base = {name: transform_points(METHODS[name](fixed, undeformed), points) for name in arguments.methods}
        for amplitude in arguments.amplitudes:
            rng = np.random.default_rng([pair, int(amplitude)])
            field = random_field(fixed, rng, amplitude)
            moving = move(image, field, rng)
            mask = None if masks[1] is None else sitk.Resample(masks[1], moving, field, sitk.sitkNearestNeighbor, 0.0)
            truth = inverse_points(field, points)
            for name in arguments.methods:
                wall, cpu = time.perf_counter(), time.process_time()
                transform = METHODS[name](fixed, moving)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                found = transform_points(transform, points)
                numbers = [
                    np.linalg.norm(found - truth, axis=1).mean(),
                    np.linalg.norm(found - inverse_points(field, base[name]), axis=1).mean(),
                    100 * folds_of(transform, fixed),
                    dice_of(transform, masks[0], mask),
                    wall,
                    cpu,
                ]
                rows[name, amplitude].append(numbers)
                print(f.name, amplitude, name, *(f"{n:.2f}" for n in numbers), file=sys.stderr, flush=True)
    print(
        "| amplitude (mm) | method | error (mm) | recovered (mm) | folds (%) | Dice | seconds | CPU seconds |\n"
        + "|---" * 8
        + "|"
    )
    for amplitude in arguments.amplitudes:
        for name in arguments.methods:
            cells = np.mean(rows[name, amplitude], axis=0)
            print(f"| {amplitude:g} | {name} |", " | ".join(f"{c:.2f}" for c in cells), "|")
    print(f"peak memory of all: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    main()
