"""Random structures, as ab initio random structure searching begins with (C. J. Pickard and R. J.
Needs, J. Phys.: Condens. Matter 23 (2011) 053201): atoms at random in a random cell, none too
close.

ASE's ``StartGenerator`` makes them; the volume is that of the elements. They are measured as a
campaign's candidates are, by the same oracle, in the order in which they are drawn.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase_ga.startgenerator import StartGenerator
from ase_ga.utilities import CellBounds, closest_distances_generator
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from alloop.loop.state.hull import Phase
from alloop.materials import formula_of
from alloop.oracles.element_crystals import natural_volume
from alloop.oracles.lammps.options import LammpsOptions
from alloop.properties import FORMATION_ENERGY

CLOSEST = 0.7
"""Least distance of two atoms, in sums of their covalent radii."""
BOUNDS = CellBounds({"phi": [35, 145], "chi": [35, 145], "psi": [35, 145], "a": [1.8, 50]})
"""Angles in degrees and shortest edge in Å of the cells that are drawn."""


def random_structures(
    elements: Sequence[str], n: int, most_atoms: int, rng: np.random.Generator
) -> list[Structure]:
    """Draw structures of two to so many atoms, numbers and shares of elements at random.

    Args:
        elements: all of them are in each structure that has room for them.
        n: number of structures.
        most_atoms: in a cell.
        rng: of composition, cell and sites.
    """
    numbers = [atomic_numbers[symbol] for symbol in elements]
    closest = closest_distances_generator(numbers, ratio_of_covalent_radii=CLOSEST)
    found: list[Structure] = []
    while len(found) < n:
        n_atoms = int(rng.integers(len(elements), most_atoms + 1))
        counts = 1 + rng.multinomial(n_atoms - len(elements), rng.dirichlet(np.ones(len(elements))))
        volume = sum(k * natural_volume(el) for el, k in zip(elements, counts, strict=True))
        generator = StartGenerator(
            Atoms(pbc=True),
            list(zip(elements, counts.tolist(), strict=True)),
            closest,
            box_volume=volume,
            number_of_variable_cell_vectors=3,
            cellbounds=BOUNDS,
            rng=rng,
        )
        atoms = generator.get_new_candidate(maxiter=200)
        if atoms is not None:
            found.append(AseAtomsAdaptor.get_structure(atoms))
    return found


def measured_phases(
    elements: Sequence[str], potential: str, n: int, most_atoms: int, seed: int
) -> tuple[Phase | None, ...]:
    """Return the phases that random structures relax into, in turn; None for a failure."""
    rng = np.random.default_rng(seed)
    oracle = LammpsOptions(potential=potential).build(elements)
    phases: list[Phase | None] = []
    for place, structure in enumerate(random_structures(elements, n, most_atoms, rng)):
        answer = oracle.measure(structure)
        energy = answer.properties.get(FORMATION_ENERGY)
        formula = formula_of(structure.composition.reduced_composition)
        phases.append(None if energy is None else Phase(formula, energy, f"random {place}"))
    return tuple(phases)
