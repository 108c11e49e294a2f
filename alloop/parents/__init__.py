"""Parent lattices that a spec may name: prototypes, crystals of one's own, their sublattices."""
