"""The kernel that widens the moving descriptors, so that a registration finds its way from further off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from disa.core import _core

NARROW_SHARE = 0.15
NARROW_RATIO = 1 / 8
"""The narrow part's share and standard deviation, of the wide part's; chosen on CT/T1 limbs, benchmarks/README.md."""


def widen(descriptors: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Each channel convolved with 0.15 G(sigma / 8) + 0.85 G(sigma), G a Gaussian; zeros lie beyond the array.

    The inner product is linear, so a metric over these descriptors is the sum of a blurred one, which has few local
    optima, and a sharp one, which says where the optimum is.

    Args:
        descriptors: shape (z, y, x, channels).
        sigma: standard deviation of the wide part, in cells; above 0.

    Returns:
        The same shape.
    """
    narrow = _core.smooth_descriptors(descriptors, NARROW_RATIO * sigma)
    wide = _core.smooth_descriptors(descriptors, sigma)
    narrow *= NARROW_SHARE
    wide *= 1 - NARROW_SHARE
    wide += narrow
    return wide
