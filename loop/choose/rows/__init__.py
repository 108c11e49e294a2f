"""Rows of the first tier's table, as candidates and as what candidates are known again by."""
