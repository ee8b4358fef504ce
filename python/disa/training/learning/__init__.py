"""What a step minimises, and how it changes the weights."""
