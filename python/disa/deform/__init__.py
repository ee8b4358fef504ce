# SPDX-License-Identifier: Apache-2.0
"""Registration by a displacement field."""
