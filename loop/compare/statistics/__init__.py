"""Statistics of a comparison: curves, factors, fronts and tests."""
