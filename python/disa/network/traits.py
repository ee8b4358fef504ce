# SPDX-License-Identifier: Apache-2.0
"""What a model wants of an image, and of those who use its descriptors, as its metadata say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from disa.errors import ModelError

EVEN = "even"


class Normalisation(Enum):
    """Of an image's intensities, over the whole of it; the values are what metadata say."""

    DEVIATION = "zero mean, unit standard deviation"
    RANGE = "least 0, greatest 1"
    PERCENTILES = "percentiles 1 and 99 at 0 and 1, cut off beyond"


@dataclass(frozen=True)
class Traits:
    """Of a describer.

    Attributes:
        normalisation: of the volume that it is given.
        is_weighted: whether its descriptors count by local deviation; False: all alike.
    """

    normalisation: Normalisation = Normalisation.DEVIATION
    is_weighted: bool = True


def traits_of(about: Mapping[str, str], path: Path) -> Traits:
    """The traits that a model file's metadata say; those of disa-lc2 where they say nothing.

    Raises:
        ModelError: there is no such normalisation.
    """
    said = about.get("normalisation", Normalisation.DEVIATION.value)
    try:
        normalisation = Normalisation(said)
    except ValueError:
        known = "; ".join(kind.value for kind in Normalisation)
        raise ModelError(f"{path}: normalisation {said!r} is not known; expected one of: {known}") from None
    return Traits(normalisation, about.get("weights") != EVEN)
