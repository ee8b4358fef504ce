# SPDX-License-Identifier: Apache-2.0
"""Transforms applied to label maps."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.geometry.applying import LABELS, resampled


@pytest.mark.parametrize(
    ("label", "kind", "is_taken"),
    [
        (2**53, np.uint64, True),
        (2**53 + 1, np.uint64, False),
        (-(2**53), np.int64, True),
        (-(2**53) - 1, np.int64, False),
        (2**32 - 1, np.uint32, True),
    ],
)
def test_labels_come_out_as_they_went_in_or_are_refused(label: int, kind: type[np.integer], is_taken: bool) -> None:
    """ITK resamples by 64-bit floats, which make another label of 2^53 + 1."""
    values = np.where(np.indices((5, 6, 7))[0] < 2, kind(label), kind(3))
    labels = sitk.GetImageFromArray(values)
    identity = sitk.Transform(3, sitk.sitkIdentity)
    if is_taken:
        np.testing.assert_array_equal(sitk.GetArrayFromImage(resampled(labels, labels, identity, LABELS)), values)
    else:
        with pytest.raises(disa.ImageError, match=r"has labels beyond 2\^53, which resampling rounds to others"):
            resampled(labels, labels, identity, LABELS)
