"""Figures of the report, each with the tables that belong to it."""
