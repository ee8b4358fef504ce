# SPDX-License-Identifier: Apache-2.0
"""Error at bone, the one tissue that cannot deform, of a registration of CT and T1, mm.

    python benchmarks/bone.py T1 CT REFERENCE TRANSFORM

Reference and transform take points of the T1 to those of the CT. The points are voxels of CT bone that the reference
puts into the T1's field of view.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from geometry import covers, mean_distance

HOUNSFIELD = 180.0
SMOOTHING = 0.7
"""mm."""
PIECE = 2000.0
"""mm³; smaller pieces are none."""


def bone_of(ct: sitk.Image) -> sitk.Image:
    """1 where a CT shows bone, else 0."""
    dense = sitk.SmoothingRecursiveGaussian(sitk.Cast(ct, sitk.sitkFloat32), SMOOTHING) > HOUNSFIELD
    least = int(PIECE / np.prod(ct.GetSpacing()))
    return sitk.RelabelComponent(sitk.ConnectedComponent(dense), minimumObjectSize=least) > 0


def bone_points(
    t1: sitk.Image, ct: sitk.Image, reference: sitk.Transform, count: int = 400
) -> tuple[np.ndarray, np.ndarray]:
    """Points of the T1 at bone, and where the reference puts them in the CT, both of shape (n, 3), mm."""
    bone = bone_of(ct)
    voxels = np.argwhere(sitk.GetArrayFromImage(bone))
    voxels = voxels[np.random.default_rng(0).choice(len(voxels), min(3000, len(voxels)), replace=False)]
    there = np.asarray([ct.TransformIndexToPhysicalPoint(voxel[::-1].tolist()) for voxel in voxels])
    back = reference.GetInverse()
    here = np.asarray([back.TransformPoint(point) for point in there.tolist()])
    seen = covers(t1, here)
    return here[seen][:count], there[seen][:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs=2, type=Path, help="T1 and CT")
    parser.add_argument("reference", type=Path)
    parser.add_argument("transform", type=Path)
    arguments = parser.parse_args()
    t1, ct = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in arguments.images)
    here, there = bone_points(t1, ct, sitk.ReadTransform(str(arguments.reference)))
    error = mean_distance(sitk.ReadTransform(str(arguments.transform)), here, there)
    print(f"{error:.2f} mm at {len(here)} points of bone")


if __name__ == "__main__":
    main()
