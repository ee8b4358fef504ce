# SPDX-License-Identifier: Apache-2.0
"""What the module DISARegistration needs that knows nothing of Slicer."""
