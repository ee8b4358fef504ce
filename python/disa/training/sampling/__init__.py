"""Which patches are compared, and how they are spoiled."""
