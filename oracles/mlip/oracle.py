"""The mlip oracle: relax, strain, compare with the elements, by an ASE calculator."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ase import Atoms
from pymatgen.core import Structure

from alloop.errors import AlloopError
from alloop.materials import Material
from alloop.oracles.attempts import Summary, attempt
from alloop.oracles.base import FailureKind, Measurement, fingerprint_of
from alloop.oracles.crystal_checks import checked_crystal
from alloop.oracles.element_crystals import element_crystal
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.mlip.moduli import measure_bulk_modulus, measure_elasticity
from alloop.oracles.mlip.options import MlipOptions
from alloop.oracles.mlip.potentials.catalogue import find_learned_potential
from alloop.oracles.mlip.relaxation import relax_cell
from alloop.oracles.mlip.self_test import mlip_self_test
from alloop.oracles.self_test import identity
from alloop.oracles.strain_checks import CheckedProperties

PROCEDURE = 1
"""Version of the procedure, raised when a change of this package changes values; part of the
fingerprint."""


class MlipOracle:
    """Oracle of relaxed energies and moduli with a learned potential, by its ASE calculator in
    this process.

    Formation energies are against the pure elements in the crystals of ``element_crystal``, each
    relaxed with the same potential and tolerances; where an element has none, there is no
    formation energy.

    The calculator is made at the first measurement; a pickled oracle leaves it behind.

    Args:
        options: what to compute with.
        elements: those that will be asked for; checked now rather than at the first failure.

    Raises:
        SpecError: if the potential is not known, or does not know one of the elements.
        MissingSoftware: if its package or its weights are not there.
        PotentialError: if the weights are those of another model.
    """

    def __init__(self, options: MlipOptions, *, elements: Iterable[str] = ()) -> None:
        self.options = options
        self._elements = tuple(elements)
        self._potential = find_learned_potential(options.model)
        self._potential.check(self._elements)
        found = self._potential.weights_file(options.weights)
        self._weights = None if found is None else found[0]
        digest = {} if found is None else {found[0].name: found[1]}
        self._parts = {**self._potential.versions(), **digest}
        self.name = f"mlip {options.model}"
        asked = {"strain", "force_tolerance", "stress_tolerance", "max_steps", "max_volume_change"}
        self._fingerprint = fingerprint_of(
            procedure=PROCEDURE,
            model=options.model,
            parts=self._parts,
            elastic=options.is_elastic,
            settings=options.model_dump(include=asked),
        )
        self._calculator: Any = None
        self._references: dict[str, float | None] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the options and elements that the oracle was made from."""
        return _rebuild, (self.options, self._elements)

    def fingerprint(self) -> str:
        """Return the hash of weights, versions, settings and procedure."""
        return self._fingerprint

    def measure(self, material: Material) -> Measurement:
        """Relax a structure and return its properties, or say why not.

        Gives ``bulk_modulus`` (GPa), ``energy_per_atom`` and ``formation_energy_per_atom``
        (eV/atom), ``volume_per_atom`` (Å³/atom), ``density`` (g/cm³), where asked for those of the
        elastic tensor, and the relaxed structure with its sites in the order of the input.
        """
        return self._attempt(lambda: self._measure(material))

    def self_test(self) -> Measurement:
        """See ``CanSelfTest``: the first element asked for that has a simple crystal."""
        seconds: list[tuple[str, float]] = []

        def test() -> Summary:
            properties, element, each = mlip_self_test(self.atoms, self._elements, self.options)
            seconds.append((element, each))
            return properties, None

        found = self._attempt(test)
        if not seconds:
            return found
        document = identity(*seconds[0], {"model": self.options.model, **self._parts})
        return replace(
            found, document=document, doubts={}, remarks={**found.remarks, **found.doubts}
        )

    def _measure(self, material: Material) -> Summary:
        structure = checked_crystal(material)
        self._check_elements(structure)
        atoms = self.atoms(structure)
        relax_cell(atoms, self.options)
        energy = float(atoms.get_potential_energy()) / len(atoms)
        relaxed = Structure(atoms.cell.array, structure.species, atoms.get_scaled_positions(False))
        properties = CheckedProperties(
            {
                "energy_per_atom": energy,
                "volume_per_atom": float(relaxed.volume) / len(relaxed),
                "density": float(relaxed.density),
            }
        )
        symbols = atoms.get_chemical_symbols()
        alone = [self._reference(symbol) for symbol in symbols]
        if None not in alone:
            apart = sum(each for each in alone if each is not None) / len(alone)
            properties |= {"formation_energy_per_atom": energy - apart}
        if self.options.strain:
            properties |= measure_bulk_modulus(atoms, self.options)
        if self.options.is_elastic:
            properties |= measure_elasticity(atoms, relaxed, self.options)
        return properties, relaxed

    def _check_elements(self, structure: Structure) -> None:
        known = self._potential.elements
        if known and (unknown := [e.symbol for e in structure.elements if e.symbol not in known]):
            raise MeasurementFailed(
                FailureKind.UNSUPPORTED,
                f"{self._potential.family} does not know {', '.join(unknown)}",
            )

    def _reference(self, symbol: str) -> float | None:
        """Return an element's energy in eV/atom; None where it has no simple crystal."""
        if symbol not in self._references:
            crystal = element_crystal(symbol)
            energy = None
            if crystal is not None:
                atoms = self.atoms(crystal)
                relax_cell(atoms, self.options)
                energy = float(atoms.get_potential_energy()) / len(atoms)
            self._references[symbol] = energy
        return self._references[symbol]

    def atoms(self, structure: Structure) -> Atoms:
        """Return a structure as ASE's atoms, with the calculator."""
        if self._calculator is None:
            self._calculator = self._potential.make(self._weights)
        symbols = [site.specie.symbol for site in structure]
        atoms = Atoms(
            symbols,
            cell=structure.lattice.matrix,
            scaled_positions=structure.frac_coords,
            pbc=True,
        )
        atoms.calc = self._calculator
        return atoms

    def _attempt(self, simulation: Callable[[], Summary]) -> Measurement:
        """Run a simulation and return a measurement, a failed one where it fails."""
        with warnings.catch_warnings():
            # ASE's filter takes logarithms of deformations, inexact at 1e-12 for SciPy.
            warnings.filterwarnings("ignore", message="logm result may be inaccurate")
            return attempt(
                simulation,
                self.options,
                oracle=self.name,
                fingerprint=self._fingerprint,
                kind_of=_kind_of,
            )


def _kind_of(error: Exception) -> FailureKind:
    if isinstance(error, AlloopError):
        raise error  # the weights cannot be used: nothing of the material
    return FailureKind.ERROR


def _rebuild(options: MlipOptions, elements: tuple[str, ...]) -> MlipOracle:
    return MlipOracle(options, elements=elements)
