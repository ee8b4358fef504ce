# SPDX-License-Identifier: Apache-2.0
"""Whether `disagreement_map` tells how far a deformation is off, and how well its inverse leads back.

    python benchmarks/deformation_disagreement.py FIXED MOVING [FIXED MOVING ...] [--amplitudes 10 20]

The moving image is deformed by a known random field (benchmarks/fields.py) on a turned grid. The pair is registered
with `fold_free`, and so is the undeformed pair on another turned grid. The error is the distance from the field put
upon that one's result, so that a wrong reference does not enter. Points of the fixed image's body are sorted by their
disagreement into four equal parts. Printed are the mean error of each, Spearman's correlation of both, and the largest
distance between a point and where the transform and its inverse lead it back to.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from fields import body_points, inverse_points, move, random_field, transform_points
from geometry import turned
from scipy.stats import spearmanr

import disa
from disa.geometry.grid import Grid


def disagreement_at(result: disa.DeformableResult, points: np.ndarray) -> np.ndarray:
    """mm at points, shape (n, 3), by the nearest node."""
    image = result.disagreement_map
    index = np.rint(Grid.of(image).indices(points)).astype(int).clip(0, np.asarray(image.GetSize()) - 1)
    values: np.ndarray = sitk.GetArrayFromImage(image)[index[:, 2], index[:, 1], index[:, 0]]
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, help="fixed and moving image of each pair in turn")
    parser.add_argument("--amplitudes", type=float, nargs="+", default=[10.0, 20.0], help="mm")
    arguments = parser.parse_args()
    print("| pair | amplitude (mm) | error by quarter of disagreement (mm) | Spearman | there and back, worst (mm) |")
    print("|---|---|---|---|---|")
    for number, paths in enumerate(zip(arguments.images[::2], arguments.images[1::2], strict=True)):
        fixed, image = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in paths)
        points = body_points(fixed)
        plain = disa.deformable_register(fixed, turned(image, np.random.default_rng([number, 0])))
        base = transform_points(plain.transform, points)
        for amplitude in arguments.amplitudes:
            rng = np.random.default_rng([number, int(amplitude)])
            field = random_field(fixed, rng, amplitude)
            result = disa.deformable_register(fixed, move(image, field, rng), fold_free=True)
            found = transform_points(result.transform, points)
            errors = np.linalg.norm(found - inverse_points(field, base), axis=1)
            disagreement = disagreement_at(result, points)
            quarters = np.digitize(disagreement, np.quantile(disagreement, [0.25, 0.5, 0.75]))
            by_quarter = ", ".join(f"{errors[quarters == quarter].mean():.1f}" for quarter in range(4))
            assert result.inverse_transform is not None
            back = np.linalg.norm(transform_points(result.inverse_transform, found) - points, axis=1).max()
            correlation = spearmanr(disagreement, errors).statistic
            name = f"{paths[0].name} {paths[1].name}".replace(".nii.gz", "")
            print(f"| {name} | {amplitude:g} | {by_quarter} | {correlation:.2f} | {back:.3f} |", flush=True)


if __name__ == "__main__":
    main()
