# SPDX-License-Identifier: Apache-2.0
"""Many pairs over many processes."""
