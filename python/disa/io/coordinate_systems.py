# SPDX-License-Identifier: Apache-2.0
"""The two frames that files of mm are in: LPS, ITK's, and RAS, that of NIfTI and of 3D Slicer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LPS_OF: dict[str, npt.NDArray[np.float64]] = {"LPS": np.ones(3), "RAS": np.array((-1.0, -1.0, 1.0))}
"""By coordinate system, what its x, y and z are multiplied by to be LPS, and the other way."""


def lps_of_matrix(matrix: npt.NDArray[np.float64], system: str) -> npt.NDArray[np.float64]:
    """A (4, 4) matrix from points to points of a coordinate system, between the same points in LPS, mm."""
    signs = np.append(LPS_OF[system], 1.0)
    flipped: npt.NDArray[np.float64] = matrix * signs[:, None] * signs
    return flipped
