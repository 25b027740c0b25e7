"""Planted faults: each is a small lie in the code that some test must notice."""
