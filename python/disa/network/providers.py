# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's execution providers that the network runs on."""

from __future__ import annotations

GPU = "CUDAExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
CPU = "CPUExecutionProvider"
