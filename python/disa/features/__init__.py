"""From an image to its descriptors."""
