# SPDX-License-Identifier: Apache-2.0
"""Registration by a pose: search, refinement and its result."""
