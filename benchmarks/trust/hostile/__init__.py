"""Specs, structures, settings and runs that would do harm if anything in them were believed."""
