"""From an image to its descriptors; `side.py` is the one way."""
