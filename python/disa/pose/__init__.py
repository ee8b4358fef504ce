"""Registration by a pose: search, refinement and its result."""
