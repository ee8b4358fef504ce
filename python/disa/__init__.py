"""DISA: multimodal image registration with CNN descriptors (Ronchetti et al., MICCAI 2023).

The names below load on first use, so that `import disa` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from disa.errors import ConfigError, DISAError, ImageError, ModelError, OutputError, RegistrationError, TrainingError

if TYPE_CHECKING:
    from disa._core import FeatureVolume
    from disa.deformable import DeformableResult, deformable_register
    from disa.features import extract_features
    from disa.probe_pressure import ProbePressure
    from disa.registration import global_register, register
    from disa.result import Optimum, RegistrationResult
    from disa.similarity import similarity_map
    from disa.simpleitk_registration import ImageRegistrationMethod
    from disa.viewer_layers import napari_layers

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "DISAError",
    "DeformableResult",
    "FeatureVolume",
    "ImageError",
    "ImageRegistrationMethod",
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
    "register",
    "similarity_map",
]

_HOMES = {
    "DeformableResult": "disa.deformable",
    "FeatureVolume": "disa.core",
    "ImageRegistrationMethod": "disa.simpleitk_registration",
    "Optimum": "disa.result",
    "ProbePressure": "disa.probe_pressure",
    "RegistrationResult": "disa.result",
    "deformable_register": "disa.deformable",
    "extract_features": "disa.features",
    "global_register": "disa.registration",
    "napari_layers": "disa.viewer_layers",
    "register": "disa.registration",
    "similarity_map": "disa.similarity",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'disa' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
