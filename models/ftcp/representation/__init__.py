"""The FTCP matrix: crystals as arrays, elemental properties, scaling."""
