"""Images of ITK's as input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from disa.io.images import load_image
from helpers.itk_metric import to_itk

BAD = {
    "itk 2-D": (itk.image_from_array(np.zeros((9, 9), np.float32)), "3-D"),
    "itk empty": (itk.Image[itk.F, 3].New(), "empty"),
    "itk vector": (
        itk.image_from_array(np.zeros((9, 9, 9, 3), np.float32), is_vector=True),
        "one real number",
    ),
    "itk filter": (itk.MedianImageFilter[itk.Image[itk.F, 3], itk.Image[itk.F, 3]].New(), "GetOutput"),
}


@pytest.mark.parametrize("name", BAD)
def test_images_that_cannot_be_used_are_refused_in_one_line(name: str) -> None:
    image, expected = BAD[name]
    with pytest.raises(disa.ImageError, match=expected) as caught:
        disa.extract_features(image)
    assert "\n" not in str(caught.value)


def test_all_kinds_of_input_are_the_same_image(oblique_image: sitk.Image, tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    sitk.WriteImage(oblique_image, str(path))
    for same in (oblique_image, path, str(path), to_itk(oblique_image)):
        loaded = load_image(same)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(loaded), sitk.GetArrayFromImage(oblique_image))
        np.testing.assert_allclose(loaded.GetDirection(), oblique_image.GetDirection(), atol=1e-12)
        np.testing.assert_allclose(loaded.GetOrigin(), oblique_image.GetOrigin())
