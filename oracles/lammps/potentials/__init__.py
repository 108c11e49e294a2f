"""Interatomic potentials: the catalogue, the wheel's, and parameter files of one's own."""
