"""Training of the DISA descriptor network: data preparation, LC² target, training loop and export.

Nothing here is needed to register images. The modules need PyTorch; `prepare` also needs SimpleITK,
`export` also needs onnx.
"""
