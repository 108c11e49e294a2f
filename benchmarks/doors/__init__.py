"""Measures what it takes to begin with one's own problem."""
