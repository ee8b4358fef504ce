# SPDX-License-Identifier: Apache-2.0
"""The metric in the `itk` namespace; an `InstallationError` where the itk package is missing or does not fit."""

from disa.doors.itk_wheel import check_itk

check_itk("ITK's metric")
