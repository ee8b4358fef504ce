# SPDX-License-Identifier: Apache-2.0
"""What a step minimises, and how it changes the weights."""
