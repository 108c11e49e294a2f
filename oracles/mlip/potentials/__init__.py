"""Learned potentials: what they are called, where their weights lie, how they are read."""
