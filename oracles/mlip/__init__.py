"""Learned interatomic potentials in this process, by ASE calculators."""
