"""Crystals inside campaigns: `make bench-crystals`."""
