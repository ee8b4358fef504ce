# SPDX-License-Identifier: Apache-2.0
"""The network: its files, its sessions of ONNX Runtime, what it runs on."""
