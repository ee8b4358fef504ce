"""Similarities that descriptors are trained to approximate."""
