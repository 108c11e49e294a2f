"""LAMMPS, in-process: relaxed energies and bulk moduli with classical potentials."""
