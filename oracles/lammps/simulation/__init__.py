"""One LAMMPS simulation: box, session, minimiser, relaxation."""
