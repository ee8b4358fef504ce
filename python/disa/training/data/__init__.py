# SPDX-License-Identifier: Apache-2.0
"""Volumes to train on."""
