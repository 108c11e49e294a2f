"""The LAMMPS oracle: relax, strain, report."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from alloop.canonical import canonical_json, sha256
from alloop.exchanges import Exchange, exchanged
from alloop.materials import Material
from alloop.oracles.attempts import Summary, attempt
from alloop.oracles.base import FailureKind, Measurement, exchange_fingerprint
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.procedures.competing_phase import measure_competing_phase
from alloop.oracles.lammps.procedures.defects import measure_stacking_fault, measure_surfaces
from alloop.oracles.lammps.procedures.dynamics import measure_dynamics
from alloop.oracles.lammps.procedures.elasticity import (
    LeftSaddle,
    bulk_modulus,
    measure_elasticity,
)
from alloop.oracles.lammps.procedures.hot_elasticity import measure_hot_elasticity
from alloop.oracles.lammps.properties import AT_TEMPERATURE, Simulation
from alloop.oracles.lammps.readiness import ready_potential
from alloop.oracles.lammps.self_test import self_test
from alloop.oracles.lammps.simulation.cell import LammpsCell
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal
from alloop.oracles.lammps.simulation.runtime import lammps_version
from alloop.oracles.lammps.simulation.screening import elements_of
from alloop.oracles.lammps.simulation.session import LammpsSession
from alloop.oracles.lammps.simulator import Simulator
from alloop.oracles.lammps.swap_relaxation import CentreCache, Neighbour
from alloop.oracles.strain_checks import CheckedProperties

PROCEDURE = 2
"""Version of the procedure, raised when a change of this package changes values; part of the
fingerprint."""

ExtraProcedure = Callable[
    [LammpsSession, LammpsCell, RelaxedCrystal, LammpsOptions],
    CheckedProperties | dict[str, float],
]

EXTRA_PROCEDURES: dict[Simulation, ExtraProcedure] = {
    Simulation.ELASTIC_TENSOR: measure_elasticity,
    Simulation.COMPETING_PHASE: measure_competing_phase,
    Simulation.SURFACES: measure_surfaces,
    Simulation.STACKING_FAULT: measure_stacking_fault,
    Simulation.DYNAMICS: measure_dynamics,
    Simulation.HOT_ELASTICITY: measure_hot_elasticity,
}
"""Procedures that follow the relaxation where they are asked for: from the relaxed crystal to
properties."""

MAX_SADDLES = 3
"""Largest number of saddles that a crystal is followed off."""

DIVERGENCE_MESSAGES = ("Lost atoms", "Non-numeric")
"""Parts of LAMMPS's error messages that mean atoms flying apart."""


class LammpsOracle:
    """Oracle of relaxed energies and bulk moduli with a classical potential, by LAMMPS in this
    process.

    LAMMPS starts at the first measurement and is kept for the next; a pickled oracle leaves it
    behind. The same structure gives the same numbers, bit for bit, whatever was measured before.

    Formation energies are against the pure elements, each relaxed by the same procedure in the
    crystal that is stable for the potential (``procedures.references``); where an element has
    none, there is no formation energy.

    Nothing shakes the atoms before they relax, as nothing does in the published procedure: an
    ordering whose symmetry holds it on a saddle stays there, unless the strains of the moduli
    let it go; then it is relaxed further.

    Args:
        options: what to compute with.
        elements: those that will be asked for; checked now rather than at the first failure.
        potential: the options' potential, where it is at hand already.

    Raises:
        PotentialError: if the potential is unknown, lacks one of the elements, cannot use the
            threads that are asked for, or one of its files is missing or changed.
        MissingSoftware: if LAMMPS is not installed.
    """

    def __init__(
        self,
        options: LammpsOptions,
        *,
        elements: Iterable[str] = (),
        potential: Potential | None = None,
    ) -> None:
        self.options = options
        self._elements = tuple(elements)
        self.potential = ready_potential(options, potential or options.potential, self._elements)
        self.name = f"lammps {self.potential.name}"
        self._fingerprint = _fingerprint(options, self.potential)
        self.simulator = Simulator(options, self.potential)
        self._centres = CentreCache(self.simulator)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle settings and potential alone: a LAMMPS instance cannot leave its process.

        The potential goes along with its checksums, so that a file changed meanwhile is noticed.
        """
        return _rebuild, (self.options, self.potential, self._elements)

    def fingerprint(self) -> str:
        """Return the hash of potential, settings, procedure and LAMMPS version."""
        return self._fingerprint

    def measure(self, material: Material) -> Measurement:
        """Relax a structure and return its properties, or say why not.

        Gives ``bulk_modulus`` (GPa), ``energy_per_atom`` and ``formation_energy_per_atom``
        (eV/atom), ``volume_per_atom`` (Å³/atom), ``density`` (g/cm³), those of
        ``oracles.lammps.properties`` that were asked for together with what the same simulations
        give, and the relaxed structure with its sites in the order of the input.
        """
        return self.attempt(lambda: self._measure(material))

    def measure_exchanged(self, start: Material, exchanges: Sequence[Exchange]) -> Measurement:
        """Measure the structure that exchanges of atoms make of a start; at least one of them.

        Properties are those of ``measure``. Each ordering is relaxed from where the one before
        is at rest, which takes a third of the time once the start's second derivatives are
        known; those take a force evaluation per coordinate.
        """
        found = self.attempt(lambda: self._measure_exchanged(start, exchanges))
        return replace(found, fingerprint=exchange_fingerprint(self._fingerprint))

    def self_test(self) -> Measurement:
        """See ``CanSelfTest``: the first element asked for, or of the potential."""
        documents: list[dict[str, object]] = []

        def simulation() -> Summary:
            elements = (*self._elements, *self.potential.elements)
            summary, document = self_test(self.simulator, dict.fromkeys(elements))
            documents.append(document)
            return summary

        found = self.attempt(simulation)
        return replace(found, document=documents[0]) if documents else found

    def attempt(self, simulation: Callable[[], Summary]) -> Measurement:
        """Run a simulation and return a measurement, a failed one where it fails."""
        return attempt(
            simulation,
            self.options,
            oracle=self.name,
            fingerprint=self._fingerprint,
            cores=self.options.threads,
            kind_of=self._after_error,
        )

    def _after_error(self, error: Exception) -> FailureKind:
        """End LAMMPS, which is in no known state any more, and tell what the error stands for."""
        self.close()
        broken = any(words in str(error) for words in DIVERGENCE_MESSAGES)
        return FailureKind.LOST_ATOMS if broken else FailureKind.ERROR

    def close(self) -> None:
        """End LAMMPS; the next measurement starts it again."""
        self.simulator.close()

    def _measure(self, material: Material) -> Summary:
        simulator = self.simulator
        cell, crystal = simulator.relax(material)
        for _ in range(MAX_SADDLES):
            try:
                modulus = bulk_modulus(simulator.session(), crystal, self.options)
                break
            except LeftSaddle as left:
                crystal = simulator.relax_further(cell, crystal, left.positions)
        else:
            modulus = bulk_modulus(simulator.session(), crystal, self.options)
        properties = simulator.properties(elements_of(cell.structure), crystal, modulus)
        properties |= self._extras(cell, crystal)
        return properties, cell.deformed(crystal.gradient, crystal.positions)

    def _measure_exchanged(self, start: Material, exchanges: Sequence[Exchange]) -> Summary:
        *before, last = exchanges
        centre = self._centres.find(start, before)
        neighbour = Neighbour(self.simulator, centre, exchanged(centre.symbols, last))
        properties, relaxed = neighbour.measure()
        return properties | self._extras(neighbour.cell(), neighbour.crystal), relaxed

    def _extras(self, cell: LammpsCell, crystal: RelaxedCrystal) -> CheckedProperties:
        properties = CheckedProperties({})
        session = self.simulator.session()
        for simulation in sorted(self.options.simulations() & EXTRA_PROCEDURES.keys()):
            properties |= EXTRA_PROCEDURES[simulation](session, cell, crystal, self.options)
        return properties


def _rebuild(
    options: LammpsOptions, potential: Potential, elements: tuple[str, ...]
) -> LammpsOracle:
    return LammpsOracle(options, potential=potential, elements=elements)


def _fingerprint(options: LammpsOptions, potential: Potential) -> str:
    simulations = options.simulations() | {Simulation.STRAINS}
    settings = {"strain", "force_tolerance", "max_evaluations"}
    if AT_TEMPERATURE & simulations:
        settings |= {"dynamics"}
    if options.threads > 1:
        settings |= {"threads"}  # they add up in another order: the last digits differ
    return sha256(
        canonical_json(
            {
                "procedure": PROCEDURE,
                "lammps": lammps_version(),
                "potential": {
                    "pair_style": potential.pair_style,
                    "elements": list(potential.elements),
                    "labels": list(potential.labels),
                    "files": [file.checksum for file in potential.files],
                    "references": {el: asdict(ref) for el, ref in potential.references.items()},
                },
                "settings": options.model_dump(include=settings),
                "simulations": sorted(simulations),
            }
        )
    )
