"""Errors on volumes that were not trained on."""
