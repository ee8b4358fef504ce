# SPDX-License-Identifier: Apache-2.0
"""Every number that a deformable registration goes by, named; a caller or a benchmark may pass another schedule."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeformSchedule:
    """An explicit search over displacements, then gradient descent on a displacement field.

    Attributes:
        control_stride: voxels between control points and between the nodes of the field: 8 mm at the default voxel
            spacing, as in the paper. A multiple of every stride.
        couplings: cost for each squared mm between a displacement and the smooth field, one for each pass of the
            search. The numbers are 0.15 times convexAdam's, which are for squared steps of its grid.
        padding: nodes by which a field is continued beyond the lattice, for the fields that are composed with it.
        consistency_iterations: of the halving that makes two fields each other's inverse.
        sparse_ratio: moving voxels by fixed ones where both have stride 4, so that no two grids lock.
        fine_ratio: the same in the descent.
        fine_stride: voxels between moving descriptors in the descent.
        fine_smoothing: width of the kernel over the moving descriptors in the descent, fixed voxels.
        fine_iterations: steps of the descent.
        fine_step: mm, the longest of them.
        update_variance: of the Gaussian over each step, squared nodes.
        total_variance: of the Gaussian over the field, squared nodes.
        landmark_deviations: mm, standard deviations of the displacements that landmarks tell of, one for each kernel.
        landmark_widths: mm, how far each of them is alike.
        part_deviation: mm, how far off the images leave a rigid part, when it is weighed against landmarks in it.
        part_reach: mm beyond a rigid part in which its motion blends into the field.
    """

    control_stride: int = 4
    couplings: tuple[float, ...] = (4.5e-4, 1.5e-3, 4.5e-3, 1.5e-2, 4.5e-2, 1.5e-1)
    padding: int = 4
    consistency_iterations: int = 15
    sparse_ratio: float = 5**0.5 / 2
    fine_ratio: float = 2 / 5**0.5
    fine_stride: int = 2
    fine_smoothing: float = 3.0
    fine_iterations: int = 20
    fine_step: float = 1.0
    update_variance: float = 4.0
    total_variance: float = 1.0
    landmark_deviations: tuple[float, ...] = (10.0, 5.0)
    landmark_widths: tuple[float, ...] = (100.0, 30.0)
    part_deviation: float = 4.0
    part_reach: float = 24.0


DEFORM_SCHEDULE = DeformSchedule()
"""What `disa.deformable_register` goes by; the figures behind it are in benchmarks/results/deformations.md."""
