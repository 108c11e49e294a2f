"""Procedures that measure: elasticity, defects, dynamics, references."""
