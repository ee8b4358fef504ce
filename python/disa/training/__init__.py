# SPDX-License-Identifier: Apache-2.0
"""Training of the DISA descriptor network: volumes, similarities, training loop and export.

Nothing here is needed to register images. `disa train` and `disa export` are the commands; `config` has the settings,
`data.catalog` the table of volumes, and `targets.similarity` the protocol of what descriptors approximate. The modules
need PyTorch, `config` also pydantic and PyYAML, `export` also onnx: the extra `train`.
"""
