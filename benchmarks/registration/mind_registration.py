# SPDX-License-Identifier: Apache-2.0
"""Registration by MIND-SSC through DISA's own stages and kernel: only the descriptors differ."""

from __future__ import annotations

import SimpleITK as sitk
from mind import MindSSC
from pairs import Pair

from disa.features.side import Side, open_sides
from disa.pose.options import PoseOptions, SearchOptions
from disa.pose.register import global_register_sides, register_sides
from disa.pose.result import RegistrationResult


def sides_of(pair: Pair) -> tuple[Side, Side]:
    return open_sides(pair.fixed, pair.moving, (pair.fixed_mask, pair.moving_mask), MindSSC(centred=True))


def register_local(pair: Pair, pose: sitk.Euler3DTransform, threads: int) -> RegistrationResult:
    """`disa.register` at 2 mm."""
    return register_sides(sides_of(pair), pose, PoseOptions(threads=threads))


def register_global(pair: Pair, pose: sitk.Euler3DTransform, options: SearchOptions) -> RegistrationResult:
    """`disa.global_register`; the model and where it runs do not count."""
    return global_register_sides(sides_of(pair), pose, options)
