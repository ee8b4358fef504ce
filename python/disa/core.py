# SPDX-License-Identifier: Apache-2.0
"""The compiled part, loaded with a clear error where the itk package beside it does not fit."""

from __future__ import annotations

import importlib.metadata


def _check_itk() -> None:
    try:
        version = importlib.metadata.version("itk-core")
    except importlib.metadata.PackageNotFoundError:
        raise ImportError("itk-disa needs the Python package itk 5.4: pip install 'itk==5.4.*'") from None
    if version.split(".")[:2] != ["5", "4"]:
        raise ImportError(f"itk-disa was built for itk 5.4, found itk {version}: pip install 'itk==5.4.*'")


_check_itk()

from disa import _core  # noqa: E402
from disa._core import FeatureVolume  # noqa: E402

__all__ = ["FeatureVolume", "_core"]
