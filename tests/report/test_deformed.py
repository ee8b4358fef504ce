# SPDX-License-Identifier: Apache-2.0
"""Displacements and determinants as a report codes them, and what it says before is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from disa.report.before import said_of_before
from disa.report.deformed import deformation_of
from disa.report.display import Pair
from helpers.images import rotation, smooth_noise


def stretched(factor: float, direction: np.ndarray) -> sitk.DisplacementFieldTransform:
    """x -> x with its patient's first axis stretched about 40 mm, nodes on axes of their own."""
    image = sitk.Image([30, 30, 30], sitk.sitkVectorFloat64, 3)
    image.SetSpacing((6.0,) * 3)
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin((np.full(3, 40.0) - direction @ np.full(3, 87.0)).tolist())
    nodes = sitk.GetArrayFromImage(sitk.PhysicalPointSource(
        sitk.sitkVectorFloat64, image.GetSize(), image.GetOrigin(), image.GetSpacing(), image.GetDirection()
    ))  # fmt: skip
    vectors = np.zeros_like(nodes)
    vectors[..., 0] = (factor - 1) * (nodes[..., 0] - 40.0)
    field = sitk.GetImageFromArray(vectors, isVector=True)
    field.CopyInformation(image)
    return sitk.DisplacementFieldTransform(field)


def test_displacements_and_determinants_are_those_of_the_field() -> None:
    for factor, direction in ((1.2, np.eye(3)), (0.7, rotation(0, 0, 30))):
        found = deformation_of(stretched(factor, direction), smooth_noise(0))
        z, y, x = found.grid.shape
        vectors = (found.displacements.reshape(3, z, y, x) - 128.0) * found.largest / 127
        place = found.grid.points([[4, 5, 6]])[0]
        expected = ((factor - 1) * (place[0] - 40.0), 0.0, 0.0)
        np.testing.assert_allclose(vectors[:, 6, 5, 4], expected, atol=found.largest / 100)
        inner = found.determinants[z // 4 : -z // 4, y // 4 : -y // 4, x // 4 : -x // 4]
        np.testing.assert_allclose(2.0 ** ((inner - 128.0) / 63.5), factor, rtol=0.02)


def test_a_fold_is_told_from_all_else() -> None:
    assert (deformation_of(stretched(-0.5, np.eye(3)), smooth_noise(0)).determinants[5:-5, 5:-5, 5:-5] == 0).all()


def test_disagreements_are_those_of_the_map() -> None:
    apart = smooth_noise(0) * 0.0 + 4.0
    found = deformation_of(stretched(1.1, np.eye(3)), smooth_noise(0), apart)
    assert found.disagreements is not None and found.disagreements.shape == found.grid.shape
    np.testing.assert_allclose(found.disagreements / 25.5, 4.0, atol=0.02)
    assert deformation_of(stretched(1.1, np.eye(3)), smooth_noise(0)).disagreements is None


def test_before_is_what_the_headers_or_the_initial_transform_say() -> None:
    fixed, moving = smooth_noise(0), smooth_noise(1)
    moving.SetOrigin((3.0, 0.0, 4.0))
    identity = sitk.Transform(3, sitk.sitkIdentity)
    said = said_of_before(Pair(fixed, moving, identity, identity), None)
    assert "the pose of the files' headers" in said and "lie 5 mm apart" in said and "black" not in said
    initial = sitk.TranslationTransform(3, (3.0, 0.0, 4.0))
    said = said_of_before(Pair(fixed, moving, initial, identity), Path("x/rough.tfm"))
    assert "the initial transform, rough.tfm" in said and "lie 0 mm apart" in said
    moving.SetOrigin((300.0, 0.0, 0.0))
    assert "They do not overlap there" in said_of_before(Pair(fixed, moving, identity, identity), None)
