# SPDX-License-Identifier: Apache-2.0
"""Whether a text of ITK's transforms can be given to ITK, which reads beyond the numbers where there are too few."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

COUNTS = {
    "IdentityTransform_3_3": (0, 0),
    "TranslationTransform_3_3": (3, 0),
    "VersorTransform_3_3": (3, 3),
    "ScaleTransform_3_3": (3, 3),
    "Euler3DTransform_3_3": (6, 3),
    "VersorRigid3DTransform_3_3": (6, 3),
    "Rigid3DTransform_3_3": (12, 3),
    "QuaternionRigidTransform_3_3": (7, 3),
    "Similarity3DTransform_3_3": (7, 3),
    "ScaleVersor3DTransform_3_3": (9, 3),
    "ScaleSkewVersor3DTransform_3_3": (15, 3),
    "ComposeScaleSkewVersor3DTransform_3_3": (12, 3),
    "AffineTransform_3_3": (12, 3),
    "MatrixOffsetTransformBase_3_3": (12, 3),
    "TranslationTransform_2_2": (2, 0),
    "Euler2DTransform_2_2": (3, 2),
    "Similarity2DTransform_2_2": (4, 2),
    "AffineTransform_2_2": (6, 2),
    "MatrixOffsetTransformBase_2_2": (6, 2),
}
"""Parameters, and fixed parameters at least, of each transform; a precision stands between name and dimensions."""

GRIDS = ("BSplineTransform", "DisplacementFieldTransform", "GaussianExponentialDiffeomorphicTransform")
GRID = 18
"""Fixed parameters of a 3-D grid: its size, origin, spacing and directions."""


def has_its_numbers(path: Path) -> bool:
    """Whether each transform of a text file is of a known kind, in three or two dimensions, with all its numbers."""
    try:
        blocks = list(_blocks(path.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return False
    return bool(blocks) and all(_is_whole(*block) for block in blocks)


def _blocks(text: str) -> Iterator[tuple[str, list[float], list[float]]]:
    """Kind, parameters and fixed parameters of each transform. Raises ValueError where a word is no number."""
    kind = ""
    numbers: dict[str, list[float]] = {}
    for line in [*text.splitlines(), "Transform:"]:
        name, _, rest = line.partition(":")
        if name.strip() == "Transform":
            if kind:
                yield kind, numbers.get("Parameters", []), numbers.get("FixedParameters", [])
            kind, numbers = rest.strip(), {}
        elif name.strip() in ("Parameters", "FixedParameters"):
            numbers[name.strip()] = [float(word) for word in rest.split()]


def _is_whole(kind: str, parameters: list[float], fixed: list[float]) -> bool:
    name = re.sub("_(double|float)", "", kind)
    if name.startswith("CompositeTransform_"):
        return True
    if name.startswith(GRIDS):
        size = fixed[:3]
        is_grid = len(fixed) >= GRID and all(n >= 0 and n == math.floor(n) for n in size)
        return is_grid and len(parameters) == 3 * math.prod(size)
    count, least_fixed = COUNTS.get(name, (-1, 0))
    return len(parameters) == count and len(fixed) >= least_fixed
