# SPDX-License-Identifier: Apache-2.0
"""NIfTI: the header, the bytes of the named file and no other's, and where the voxels lie."""
