"""Volumes to train on."""
