# SPDX-License-Identifier: Apache-2.0
"""`read_image` at the place that it had in earlier versions; new scripts take `disa.read_image`."""

from disa.io.reading import read_image

__all__ = ["read_image"]
