"""The metric in the `itk` namespace."""
