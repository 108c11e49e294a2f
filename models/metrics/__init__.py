"""Metrics of generated materials: distances, validity, matching, coverage."""
