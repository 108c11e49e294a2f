"""Structures: a drawing for paper, and what the viewer turns."""
