"""The network, its weights in files, and its layout for training speed."""
