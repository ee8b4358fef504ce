# SPDX-License-Identifier: Apache-2.0
"""Whether the Python package `itk` is there and fits; only some doors need it."""

from __future__ import annotations

import importlib.metadata
import re

from disa.errors import InstallationError

LEAST_ITK_PATCH = 2
"""itk 5.4.0 lacks functions of transforms that the compiled part calls."""

ITK_COMMAND = f"pip install 'itk>=5.4.{LEAST_ITK_PATCH},<5.5'"


def check_itk(door: str) -> None:
    """Refuse where the itk package is missing or does not fit.

    Args:
        door: what needs it, for the message.

    Raises:
        InstallationError: one line, with the command that installs what fits.
    """
    try:
        version = importlib.metadata.version("itk-core")
    except importlib.metadata.PackageNotFoundError:
        raise InstallationError(f"{door} needs the Python package itk 5.4: {ITK_COMMAND}") from None
    fitting = re.match(r"5\.4\.(\d+)", version)
    if fitting is None or int(fitting[1]) < LEAST_ITK_PATCH:
        raise InstallationError(
            f"{door} was built for itk 5.4.{LEAST_ITK_PATCH} or a later 5.4, found itk {version}: {ITK_COMMAND}"
        )
