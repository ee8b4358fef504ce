"""The commands of `disa`, one file for each group."""
