# SPDX-License-Identifier: Apache-2.0
"""What a registration leaves behind for a person to look at."""
