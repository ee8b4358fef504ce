# SPDX-License-Identifier: Apache-2.0
"""The compiled registration engine, loaded with a clear error where it needs an itk package that is not there."""

from __future__ import annotations

from disa.core import _core
from disa.doors.itk_wheel import check_itk

if _core.engine_needs_itk:
    check_itk("the registration engine of disa.ImageRegistrationMethod and disa.deformable_register")

from disa import _engine

__all__ = ["_engine"]
