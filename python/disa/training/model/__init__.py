# SPDX-License-Identifier: Apache-2.0
"""The network, its weights in files, and its layout for training speed."""
