"""The network and how its weights move."""
