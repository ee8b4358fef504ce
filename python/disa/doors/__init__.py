"""The metric behind other packages' registration methods."""
