"""Versions of the dataset: their names, digests, inputs, what sets two apart, and whether one is still whole."""
