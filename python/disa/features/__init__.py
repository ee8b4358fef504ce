# SPDX-License-Identifier: Apache-2.0
"""From an image to its descriptors; `side.py` is the one way."""
