# SPDX-License-Identifier: Apache-2.0
"""From weights to an ONNX file."""
