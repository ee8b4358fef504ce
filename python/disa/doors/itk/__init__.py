# SPDX-License-Identifier: Apache-2.0
"""The metric in the `itk` namespace."""
