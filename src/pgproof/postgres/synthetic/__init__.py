"""Reading what synthetic data is made from, and filling a database of its own with it."""
