"""Generator of decorations of a parent lattice."""
