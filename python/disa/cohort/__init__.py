"""Many pairs over many processes."""
