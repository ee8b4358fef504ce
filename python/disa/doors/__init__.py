# SPDX-License-Identifier: Apache-2.0
"""The metric behind other packages' registration methods."""
