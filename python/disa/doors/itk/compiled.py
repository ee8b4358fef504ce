# SPDX-License-Identifier: Apache-2.0
"""The compiled part that makes objects of the itk package, linked to the libraries of its wheel."""

from __future__ import annotations

from disa import _itk

__all__ = ["_itk"]
