"""Density functional theory as atomate2 flows run by jobflow, and a learned stand-in for it."""
