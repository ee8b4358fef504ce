# SPDX-License-Identifier: Apache-2.0
"""Grids, linear transforms and what they do to images and points."""
