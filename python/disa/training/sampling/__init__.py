# SPDX-License-Identifier: Apache-2.0
"""Which patches are compared, and how they are spoiled."""
