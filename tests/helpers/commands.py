# SPDX-License-Identifier: Apache-2.0
"""The command line in this process, and files for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from typer.testing import CliRunner

run = CliRunner().invoke
SHIFT = (4.0, -6.0, 2.0)


def write_files(folder: Path) -> Path:
    """An image, a label map, points and a translation."""
    rng = np.random.default_rng(0)
    image = sitk.GetImageFromArray(rng.normal(size=(12, 13, 14)).astype(np.float32))
    image.SetSpacing((2.0, 2.0, 2.0))
    image.SetOrigin((-10.0, 5.0, 20.0))
    sitk.WriteImage(image, str(folder / "image.nii.gz"))
    labels = np.zeros((12, 13, 14), np.uint8)
    labels[3:8, 4:9, 4:9] = 1
    labels[9:11, 2:5, 9:12] = 7
    map_ = sitk.GetImageFromArray(labels)
    map_.CopyInformation(image)
    sitk.WriteImage(map_, str(folder / "labels.nii.gz"))
    sitk.WriteTransform(sitk.TranslationTransform(3, SHIFT), str(folder / "shift.tfm"))
    (folder / "points.csv").write_text("name,x,y,z\napex,0,10,30\nhilum,4.5,12,28\n")
    return folder
