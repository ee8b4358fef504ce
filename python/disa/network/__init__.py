"""The network: its files, its sessions of ONNX Runtime, what it runs on."""
