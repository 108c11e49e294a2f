"""The floor every room stands on: errors, materials, canonical JSON and seeds."""

__version__ = "0.1.0"
