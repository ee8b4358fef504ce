# SPDX-License-Identifier: Apache-2.0
"""Models out of ONNX graphs: MIND-SSC's, and anybody's network."""
