# SPDX-License-Identifier: Apache-2.0
"""The commands of `disa`, one file for each group."""
