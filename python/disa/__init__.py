# SPDX-License-Identifier: Apache-2.0
"""DISA: multimodal image registration with CNN descriptors (Ronchetti et al., MICCAI 2023).

The names below load on first use, so that `import disa` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from disa.errors import (
    ConfigError,
    DISAError,
    ImageError,
    ImageWarning,
    ModelError,
    OutputError,
    RegistrationError,
    TrainingError,
)

if TYPE_CHECKING:
    from disa._core import FeatureVolume
    from disa.deform.constraints import Constraints
    from disa.deform.register import deformable_register
    from disa.deform.result import DeformableResult
    from disa.doors.simpleitk.method import ImageRegistrationMethod
    from disa.features.extract import extract_features
    from disa.features.heat_map import similarity_map
    from disa.io.reading import ImageFile, read_image
    from disa.pose.probe_pressure import ProbePressure
    from disa.pose.register import global_register, register
    from disa.pose.result import Optimum, RegistrationResult
    from disa.report.layers import napari_layers

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "Constraints",
    "DISAError",
    "DeformableResult",
    "FeatureVolume",
    "ImageError",
    "ImageFile",
    "ImageRegistrationMethod",
    "ImageWarning",
    "ModelError",
    "Optimum",
    "OutputError",
    "ProbePressure",
    "RegistrationError",
    "RegistrationResult",
    "TrainingError",
    "deformable_register",
    "extract_features",
    "global_register",
    "napari_layers",
    "read_image",
    "register",
    "similarity_map",
]

_HOMES = {
    "Constraints": "disa.deform.constraints",
    "DeformableResult": "disa.deform.result",
    "FeatureVolume": "disa.core",
    "ImageRegistrationMethod": "disa.doors.simpleitk.method",
    "Optimum": "disa.pose.result",
    "ProbePressure": "disa.pose.probe_pressure",
    "RegistrationResult": "disa.pose.result",
    "deformable_register": "disa.deform.register",
    "extract_features": "disa.features.extract",
    "global_register": "disa.pose.register",
    "napari_layers": "disa.report.layers",
    "ImageFile": "disa.io.reading",
    "read_image": "disa.io.reading",
    "register": "disa.pose.register",
    "similarity_map": "disa.features.heat_map",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'disa' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
