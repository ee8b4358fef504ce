# SPDX-License-Identifier: Apache-2.0
"""Similarities that descriptors are trained to approximate."""
