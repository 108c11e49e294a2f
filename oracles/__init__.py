"""What answers: LAMMPS, DFT, tables of known results, people."""
