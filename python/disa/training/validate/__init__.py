# SPDX-License-Identifier: Apache-2.0
"""Errors on volumes that were not trained on."""
