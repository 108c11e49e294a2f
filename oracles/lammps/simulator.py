"""LAMMPS with one potential and one set of options: relaxed crystals and what is known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pymatgen.core import Element, Structure

from alloop.materials import Material
from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.procedures.references import reference_energy
from alloop.oracles.lammps.simulation.cell import Array, LammpsCell
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal, relax_cell
from alloop.oracles.lammps.simulation.screening import cell_of, elements_of
from alloop.oracles.lammps.simulation.session import LammpsSession
from alloop.oracles.strain_checks import CheckedProperties

Summary = tuple[CheckedProperties, Structure]
"""Result of a simulation: properties, with what their checks found, and the relaxed structure."""

MIN_BULK_MODULUS = 0.1
"""Least bulk modulus of a solid, GPa: what is softer is a gas of atoms, or a molecule in a void."""

GRAM_PER_CUBIC_CENTIMETRE = 1.66053907
"""Density of 1 atomic mass unit per Å³ in g/cm³ (CODATA 2018)."""


class Simulator:
    """LAMMPS instance, started when it is first needed, and the elements' reference energies.

    Args:
        options: of relaxations and strains.
        potential: of all atoms.
        reference_energies: eV/atom of the pure elements, where they are known already; None for an
            element that has no reference crystal.
    """

    def __init__(
        self,
        options: LammpsOptions,
        potential: Potential,
        *,
        reference_energies: Mapping[str, float | None] | None = None,
    ) -> None:
        self.options = options
        self.potential = potential
        self._session: LammpsSession | None = None
        self._reference_energies = dict(reference_energies or {})

    def session(self) -> LammpsSession:
        """Return the LAMMPS instance, started if need be."""
        if self._session is None:
            self._session = LammpsSession(self.potential, threads=self.options.threads)
        return self._session

    def close(self) -> None:
        """End LAMMPS; the next relaxation starts it again."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def relax(self, material: Material) -> tuple[LammpsCell, RelaxedCrystal]:
        """Relax a structure; return it in LAMMPS's frame as given, and relaxed. Its atoms stay
        loaded.

        Raises:
            MeasurementFailed: if it cannot be measured, or does not relax.
        """
        cell = cell_of(material, self.potential)
        session = self.session()
        session.load(elements_of(cell.structure))
        return cell, relax_cell(session, cell, self.options)

    def relax_further(
        self, cell: LammpsCell, crystal: RelaxedCrystal, positions: Array
    ) -> RelaxedCrystal:
        """Relax a relaxed crystal again with its atoms elsewhere; its atoms are loaded.

        Args:
            cell: where the crystal came from; its deformation is counted from there.
            crystal: at rest, though on a saddle.
            positions: the atoms' Cartesian positions, Å, shape (n, 3).

        Raises:
            MeasurementFailed: if it does not relax.
        """
        start = replace(cell, box=crystal.box, positions=positions)
        found = relax_cell(self.session(), start, self.options)
        return replace(found, gradient=found.gradient @ crystal.gradient)

    def properties(
        self, symbols: Sequence[str], crystal: RelaxedCrystal, modulus: CheckedProperties
    ) -> CheckedProperties:
        """Return the properties that every measurement has.

        Args:
            symbols: the element of each atom.
            crystal: these atoms, relaxed.
            modulus: its ``bulk_modulus``, GPa.

        Raises:
            MeasurementFailed: if the modulus is not a solid's.
        """
        if (stiffness := modulus.values["bulk_modulus"]) < MIN_BULK_MODULUS:
            raise MeasurementFailed(
                FailureKind.UNPHYSICAL, f"a bulk modulus of {stiffness:.3g} GPa is not a solid's"
            )
        alone = [self._reference_energy(symbol) for symbol in symbols]
        known = [energy for energy in alone if energy is not None]
        n, energy = len(symbols), crystal.evaluation.energy
        mass = sum(float(Element(symbol).atomic_mass) for symbol in symbols)
        properties = {
            "energy_per_atom": energy / n,
            "volume_per_atom": crystal.volume / n,
            "density": mass * GRAM_PER_CUBIC_CENTIMETRE / crystal.volume,
        }
        if len(known) == n:
            properties["formation_energy_per_atom"] = (energy - sum(known)) / n
        return modulus | CheckedProperties(properties, remarks=_jumps(crystal, n))

    def _reference_energy(self, symbol: str) -> float | None:
        if symbol not in self._reference_energies:
            self._reference_energies[symbol] = reference_energy(
                self.session(), symbol, self.options
            )
        return self._reference_energies[symbol]


def _jumps(crystal: RelaxedCrystal, n: int) -> dict[str, str]:
    """Return a remark on the jumps of the potential that a relaxation of n atoms met."""
    noise = crystal.noise
    if not noise.energy and not noise.force:
        return {}
    met = f"the potential's energy jumps by {1000 * noise.energy / n:.2g} meV/atom"
    if noise.force:
        met += f" and its forces by {noise.force:.2g} eV/Å"
    return {"energy_per_atom": f"{met} on the way to rest"}
