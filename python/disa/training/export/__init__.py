"""From weights to an ONNX file."""
