"""Comparison of runs: curves, factors and tests over strategies and their seeds."""
