"""The networks of FTCP: the published one, and one with linear paths."""
