# SPDX-License-Identifier: Apache-2.0
"""What a caller says of a network that is to become a model."""

from __future__ import annotations

from dataclasses import dataclass

from disa.checking import check_spacing, check_stride
from disa.errors import ModelError
from disa.network.traits import Normalisation


@dataclass(frozen=True)
class SealOptions:
    """Of `seal`, checked when they are made.

    Attributes:
        stride: voxels between the network's outputs: 4, 2 or 1. Other strides are derived from them.
        spacing: voxel spacing that the network is for, mm. It is written into the file, and the volumes are measured at
            it; a registration still takes its own `spacing`.
        normalisation: of the image's intensities that the network is given, over the whole image.
        name: of the model; the file's if empty.
        version: of the model.
        training_data: what it was trained on.
        licence: of its weights.

    Raises:
        RegistrationError: the stride is none of these.
        ImageError: the spacing is not above 0.
        ModelError: the normalisation is none of `Normalisation`.
    """

    stride: int = 4
    spacing: float = 2.0
    normalisation: Normalisation = Normalisation.DEVIATION
    name: str = ""
    version: str = "1.0"
    training_data: str = "not stated"
    licence: str = "not stated"

    def __post_init__(self) -> None:
        check_stride(self.stride)
        check_spacing(self.spacing)
        if not isinstance(self.normalisation, Normalisation):
            known = ", ".join(f"Normalisation.{kind.name}" for kind in Normalisation)
            raise ModelError(f"normalisation: expected one of {known}, got {self.normalisation!r}")
