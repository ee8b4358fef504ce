# SPDX-License-Identifier: Apache-2.0
"""The numbers of ITK's transforms, counted before ITK has them: it reads beyond them where there are too few."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from disa.io.numbers import shown

COUNTS = {
    "IdentityTransform": (0, 0),
    "TranslationTransform": (3, 0),
    "VersorTransform": (3, 3),
    "ScaleTransform": (3, 3),
    "Euler3DTransform": (6, 3),
    "VersorRigid3DTransform": (6, 3),
    "Rigid3DTransform": (12, 3),
    "QuaternionRigidTransform": (7, 3),
    "Similarity3DTransform": (7, 3),
    "ScaleVersor3DTransform": (9, 3),
    "ScaleSkewVersor3DTransform": (15, 3),
    "ComposeScaleSkewVersor3DTransform": (12, 3),
    "AffineTransform": (12, 3),
    "MatrixOffsetTransformBase": (12, 3),
}
"""Parameters, and fixed parameters at least, of each 3-D transform."""

COMPOSITE = "CompositeTransform"
GRIDS = ("BSplineTransform", "DisplacementFieldTransform", "GaussianExponentialDiffeomorphicTransform")
GRID = 18
"""Fixed parameters of a 3-D grid: its size, origin, spacing and directions."""

_KIND = re.compile(r"([A-Za-z0-9]+)_(?:double|float)_(\d+)_(\d+)(?:_\d+)?")
"""Name, precision, dimensions, and of a B-spline its order."""


@dataclass(frozen=True)
class Block:
    """A transform as a file holds it.

    Attributes:
        kind: as ITK writes it, for example Euler3DTransform_double_3_3.
        parameters, fixed: its numbers, all finite.
    """

    kind: str
    parameters: Sequence[float]
    fixed: Sequence[float]

    def text(self) -> str:
        """The same as lines of ITK's text format, to the last bit."""
        lines = ((name, " ".join(map(repr, numbers))) for name, numbers in self._numbers)
        return f"Transform: {self.kind}\n" + "".join(f"{name}: {numbers}\n" for name, numbers in lines)

    @property
    def _numbers(self) -> tuple[tuple[str, Sequence[float]], ...]:
        if self.kind.startswith(COMPOSITE):
            return ()
        return (("Parameters", self.parameters), ("FixedParameters", self.fixed))


def check_blocks(blocks: Sequence[Block]) -> None:
    """Raises ValueError, with a message that lacks the file, unless ITK makes one 3-D transform of all of them."""
    for block in blocks:
        _check(block)
    first = blocks[0].kind.startswith(COMPOSITE)
    if any(block.kind.startswith(COMPOSITE) for block in blocks[1:]):
        raise ValueError("a composite within transforms; expected it first, and one")
    if first and len(blocks) == 1:
        raise ValueError("a composite of no transforms; expected one or more")
    if not first and len(blocks) > 1:
        raise ValueError(
            f"holds {len(blocks)} transforms, of which ITK takes the first alone; expected one, or a composite of them"
        )


def _check(block: Block) -> None:
    match = _KIND.fullmatch(block.kind)
    name = match[1] if match else ""
    is_known = name in (*COUNTS, COMPOSITE, *GRIDS)
    if match and match.group(2, 3) == ("2", "2") and (is_known or name.endswith("2DTransform")):
        raise ValueError("expected a 3-D transform, got a 2-D one")
    if not match or not is_known or match.group(2, 3) != ("3", "3"):
        raise ValueError(f"{shown(block.kind)} is no transform that is known; expected one of ITK's")
    if name in GRIDS:
        _check_grid(name, block)
    elif name == COMPOSITE:
        if block.parameters or block.fixed:
            raise ValueError("a composite with numbers of its own; expected transforms after it, each with its own")
    else:
        count, least = COUNTS[name]
        if len(block.parameters) != count or len(block.fixed) < least:
            raise ValueError(
                f"{name}: expected {count} parameters and {least} fixed ones, "
                f"got {len(block.parameters)} and {len(block.fixed)}; write it again"
            )


def _check_grid(name: str, block: Block) -> None:
    size = block.fixed[:3]
    if len(block.fixed) < GRID or not all(n >= 1 and n == math.floor(n) for n in size):
        raise ValueError(f"{name}: expected a grid of {GRID} fixed parameters, whole sizes first; write it again")
    if len(block.parameters) != 3 * math.prod(size):
        raise ValueError(
            f"{name}: expected {3 * math.prod(size):.0f} parameters for its grid, "
            f"got {len(block.parameters)}; write it again"
        )
