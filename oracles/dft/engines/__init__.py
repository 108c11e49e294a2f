"""The engines that calculate energies, stresses and relaxed cells."""
