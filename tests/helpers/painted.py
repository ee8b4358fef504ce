# SPDX-License-Identifier: Apache-2.0
"""A phantom that tells the patient's sides apart, in any order and direction of its voxel axes."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

STORED = ("LPS", "RAS", "LAS", "RPI", "PIR", "oblique")
"""Where voxel axes lead, as ITK's DICOMOrient names it; the last lie 20 to 30 degrees away from the patient's."""

RIGHT, FRONT, HEAD, BODY = 1000.0, 700.0, 400.0, 150.0
"""Of what is painted on the patient's right, front and head, and of all between them."""

PLACES = {
    "right": (-27.0, 0.0, 0.0),
    "left": (27.0, 0.0, 0.0),
    "front": (0.0, -21.0, 0.0),
    "back": (0.0, 21.0, 0.0),
    "head": (0.0, 0.0, 16.0),
    "foot": (0.0, 0.0, -16.0),
    "middle": (0.0, 0.0, 0.0),
}
"""Points, mm (LPS)."""
PAINTED = {"right": RIGHT, "front": FRONT, "head": HEAD, "middle": BODY, "left": BODY, "back": BODY, "foot": BODY}


def painted(stored: str) -> sitk.Image:
    """The phantom, 60 x 48 x 38 mm about the origin of the patient's space."""
    z, y, x = np.mgrid[-19:20, -24:25, -30:31].astype(float)
    pixels = np.full(x.shape, BODY, np.float32)
    pixels[z > 13] = HEAD
    pixels[y < -18] = FRONT
    pixels[x < -24] = RIGHT
    image = sitk.GetImageFromArray(pixels)
    image.SetOrigin((-30.0, -24.0, -19.0))
    if stored != "oblique":
        oriented: sitk.Image = sitk.DICOMOrient(image, stored)
        return oriented
    turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.4, -0.35, 0.5)
    matrix = np.asarray(turn.GetMatrix()).reshape(3, 3)
    size = np.array([90, 84, 80])
    origin = -matrix @ ((size - 1) / 2)
    turned: sitk.Image = sitk.Resample(
        image, size.tolist(), sitk.Transform(3, sitk.sitkIdentity), sitk.sitkLinear, origin.tolist(), (1.0, 1.0, 1.0),
        matrix.ravel().tolist(),
    )  # fmt: skip
    return turned
