"""Other potentials for some sets of elements, such as a binary's own beside an alloy's."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alloop.canonical import canonical_json, sha256
from alloop.exchanges import Exchange
from alloop.materials import Material
from alloop.oracles.base import ExchangeOracle, Measurement, exchange_fingerprint
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle


class SystemsOracle:
    """A LAMMPS oracle that chooses the potential by what a material is made of.

    A material with exactly the elements of one of ``options.systems`` is measured with that one's
    potential, any other with ``options.potential``. Formation energies are against the elements
    under the potential chosen, so they compare within a set of elements and not across.

    Args:
        options: with systems.
        elements: those that will be asked for; the potential for all others must cover them.

    Raises:
        PotentialError, MissingSoftware: as of ``LammpsOracle``.
    """

    def __init__(self, options: LammpsOptions, *, elements: Iterable[str] = ()) -> None:
        self._general = LammpsOracle(_with(options, options.potential), elements=elements)
        self._special = {
            frozenset(system.elements): LammpsOracle(
                _with(options, system.potential), elements=system.elements
            )
            for system in options.systems
        }
        named = (
            f"{each.potential.name} for {'-'.join(sorted(elements))}"
            for elements, each in self._special.items()
        )
        self.name = ", ".join([self._general.name, *named])

    def fingerprint(self) -> str:
        """Return the hash of all potentials' fingerprints, each with the elements it is for."""
        special = {
            "-".join(sorted(elements)): oracle.fingerprint()
            for elements, oracle in self._special.items()
        }
        general = self._general.fingerprint()
        return sha256(canonical_json({"general": general, "systems": special}))

    def measure(self, material: Material) -> Measurement:
        """Measure as ``LammpsOracle.measure`` does, with the potential for these elements."""
        found = self._oracle_for(material).measure(material)
        return replace(found, oracle=self.name, fingerprint=self.fingerprint())

    def measure_exchanged(self, start: Material, exchanges: Sequence[Exchange]) -> Measurement:
        """Measure as ``LammpsOracle.measure_exchanged`` does, with the potential for these
        elements."""
        found = self._oracle_for(start).measure_exchanged(start, exchanges)
        fingerprint = exchange_fingerprint(self.fingerprint())
        return replace(found, oracle=self.name, fingerprint=fingerprint)

    def self_test(self) -> Measurement:
        """Return the self-test of the potential for everything else, once all have passed theirs;
        the first that failed otherwise."""
        found = [each.self_test() for each in (*self._special.values(), self._general)]
        first = next((each for each in found if each.failure is not None), found[-1])
        return replace(first, oracle=self.name, fingerprint=self.fingerprint())

    def close(self) -> None:
        """End every LAMMPS; the next measurement starts what it needs again."""
        for oracle in (self._general, *self._special.values()):
            oracle.close()

    def _oracle_for(self, material: Material) -> LammpsOracle:
        elements = getattr(material, "elements", ())
        return self._special.get(frozenset(e.symbol for e in elements), self._general)


def lammps_oracle(options: LammpsOptions, *, elements: Iterable[str] = ()) -> ExchangeOracle:
    """Return the oracle that options describe.

    Raises:
        PotentialError, MissingSoftware: as of ``LammpsOracle``.
    """
    if options.systems:
        return SystemsOracle(options, elements=elements)
    return LammpsOracle(options, elements=elements)


def _with(options: LammpsOptions, potential: object) -> LammpsOptions:
    return options.model_copy(update={"potential": potential, "systems": ()})
