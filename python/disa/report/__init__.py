"""What a registration leaves behind for a person to look at."""
