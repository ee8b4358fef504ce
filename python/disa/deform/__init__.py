"""Registration by a displacement field."""
