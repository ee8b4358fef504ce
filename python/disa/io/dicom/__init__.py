# SPDX-License-Identifier: Apache-2.0
"""DICOM: headers, where their slices lie, and the volume of a series."""
