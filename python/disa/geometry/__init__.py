"""Grids, linear transforms and what they do to images and points."""
