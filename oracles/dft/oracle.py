"""The DFT oracle: relax, strain, compare with the elements."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from math import inf
from time import monotonic
from typing import Any

import numpy as np
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Lattice, Structure

from alloop.canonical import canonical_json, sha256
from alloop.materials import Material
from alloop.oracles.base import Cost, Measurement, Status
from alloop.oracles.crystal_frame import crystal_frame
from alloop.oracles.dft.calculation import Calculation
from alloop.oracles.dft.crystal import SortedStructure
from alloop.oracles.dft.engines.base import Engine
from alloop.oracles.dft.factory import make_engine, make_manager, profile_of
from alloop.oracles.dft.failure import failure_of
from alloop.oracles.dft.moments import DEFAULT_MOMENT, MOMENTS
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.procedure import (
    RELAX,
    STATIC,
    FittedTensor,
    MeasurementLog,
    Procedure,
)
from alloop.oracles.dft.references import ordered_binaries, reference_crystal
from alloop.oracles.dft.self_test import dft_self_test
from alloop.oracles.elastic_tensor import (
    checked_tensor_properties,
    elastic_properties,
    in_crystal_frame,
    tensor_of,
)
from alloop.oracles.strain_checks import CheckedProperties
from alloop.properties import ELASTIC_CONSTANTS
from alloop.settings.profiles import Profile

PROCEDURE = 3
"""Version of the procedure, raised when a change of this package changes values; part of the
fingerprint."""


class DftOracle:
    """Oracle of energies, relaxed cells and moduli by DFT, or by a learned potential
    trained on DFT; ``name`` says which.

    Each measurement is a few jobflow flows of atomate2 jobs. A flow's outcome is kept under a name
    that says what was calculated at which level of theory, so that it is calculated once: by a
    campaign that resumes, by two workers that need the same element's energy at the same moment,
    by the next campaign. A measurement's cost is what its flows took when they were run, whether
    or not their outcomes were found; elements are paid for by who calculates them.

    Args:
        options: engine, protocol and tolerances.
        elements: those that will be asked for; checked now rather than at the first failure.
        profile: how and where the engine is run; by default the profile of the user's settings
            that the options name. A copy in another process keeps it.

    Raises:
        MissingSoftware: if the engine or its manager is not installed.
        SpecError: if the engine's settings cannot work.
        SettingsError: if the user's settings lack the profile, or cannot be used.
    """

    def __init__(
        self,
        options: DftOptions,
        *,
        elements: Iterable[str] = (),
        profile: Profile | None = None,
    ) -> None:
        self.options = options
        self._elements = tuple(elements)
        self._profile = profile_of(options) if profile is None else profile
        engine = make_engine(options, self._profile)
        if options.manager == "local":
            engine.check(self._elements)
        self.name = f"dft {engine.name}"
        self._level = _hash(_level_settings(options, engine))
        self._identity = {
            key: value for key, value in engine.settings().items() if isinstance(value, str)
        }
        self._fingerprint = _hash(
            {"level": self._level}
            | options.model_dump(include={"protocol", "end_members", "strain"})
            | ({} if options.transport is None else {"transport": options.transport.model_dump()})
        )
        self._procedure = Procedure(
            engine, make_manager(options, self._profile), options, self._level
        )
        self._references: dict[str, Calculation] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the options, elements and profile that the oracle was made from."""
        return _rebuild, (self.options, self._elements, self._profile)

    def fingerprint(self) -> str:
        """Return the hash of engine, settings and procedure."""
        return self._fingerprint

    def measure(self, material: Material) -> Measurement:
        """Calculate what the protocol says, or say why not.

        Gives ``energy_per_atom`` (eV/atom), ``volume_per_atom`` (Å³/atom), ``density`` (g/cm³),
        where known ``magnetisation`` (µB/atom) and ``band_gap`` (eV, by DFT), and by protocol and
        options ``bulk_modulus`` (GPa, Voigt's), ``formation_energy_per_atom`` and
        ``energy_above_hull`` (eV/atom; negative below the hull of elements and ordered binaries),
        ``c11`` … ``c66`` (GPa, in the axes of ``alloop.oracles.elastic_tensor``) and
        ``shear_modulus`` (GPa, Voigt-Reuss-Hill), ``power_factor`` (µW/(cm K²)); and the
        relaxed structure with its sites in the order of the input.
        """
        began = monotonic()
        log = MeasurementLog(deadline=began + (self.options.timeout or inf))
        try:
            crystal = SortedStructure.of(material)
            calculated, properties = self._measure(crystal, log)
            relaxed = crystal.in_original_order(calculated.structure)
            return Measurement(
                Status.OK,
                properties.values,
                relaxed,
                None,
                self.name,
                self._fingerprint,
                self._cost(log.seconds),
                log.document(),
                properties.doubts,
                properties.remarks,
            )
        except Exception as error:  # a bad material must not stop a campaign; the kind says so
            failure = failure_of(error)
            cost = self._cost(max(log.seconds, monotonic() - began))
            return Measurement(
                Status.FAILED,
                {},
                None,
                failure,
                self.name,
                self._fingerprint,
                cost,
                log.document(),
            )

    def self_test(self) -> Measurement:
        """See ``CanSelfTest``: the first element asked for that has a simple crystal, at the same
        level of theory. Its flows are kept like all others, and run once for all campaigns."""
        began = monotonic()
        log = MeasurementLog(deadline=began + (self.options.timeout or inf))
        try:
            properties, document = dft_self_test(self._procedure, self.options, self._elements, log)
        except Exception as error:  # the failure says so
            failure, cost = failure_of(error), self._cost(monotonic() - began)
            return Measurement(
                Status.FAILED, {}, None, failure, self.name, self._fingerprint, cost, log.document()
            )
        parts = {"name": self.name, "level": self._level, **self._identity}
        return Measurement(
            Status.OK,
            properties.values,
            None,
            None,
            self.name,
            self._fingerprint,
            self._cost(log.seconds),
            document | {"identity": parts},
            remarks={**properties.remarks, **properties.doubts},
        )

    def submission(self, material: Material) -> str:
        """Return the name under which a measurement's first flow is submitted.

        It follows from the material and this oracle's settings alone. Both stand in a campaign's
        ledger before anything is submitted, as a decision and as its tier's spec; so whoever
        continues after a crash can ask a queue whether the flow ever arrived there.

        Raises:
            MeasurementFailed: if the material is no crystal, and nothing is ever submitted for it.
        """
        stage = STATIC if self.options.protocol == "static" else RELAX
        return self._procedure.submission(stage, SortedStructure.of(material).structure)

    def _measure(
        self, crystal: SortedStructure, log: MeasurementLog
    ) -> tuple[Calculation, CheckedProperties]:
        protocol, procedure = self.options.protocol, self._procedure
        if protocol == "static":
            cell = procedure.single_point(crystal.structure, log)
            return cell, _properties(cell) | self._transport(cell, log)
        cell = procedure.relax(crystal.structure, log)
        properties = _properties(cell)
        if protocol != "relax":
            properties |= self._relative_energies(cell, log)
        if protocol == "elastic":
            turned = _in_crystal_axes(cell)
            properties |= _moduli(procedure.elastic_tensor(turned, log), turned.structure)
        elif self.options.strain:
            properties |= procedure.bulk_modulus(cell, log)
        return cell, properties | self._transport(cell, log)

    def _transport(self, cell: Calculation, log: MeasurementLog) -> CheckedProperties:
        if self.options.transport is None:
            return CheckedProperties({})
        return self._procedure.power_factor(cell, log)

    def _relative_energies(self, cell: Calculation, log: MeasurementLog) -> dict[str, float]:
        """Return the energies of formation and, where asked, above the hull."""
        symbols = [site.specie.symbol for site in cell.structure]
        alone = {symbol: self._reference(symbol, log) for symbol in sorted(set(symbols))}
        log.references |= {symbol: one.energy_per_atom for symbol, one in alone.items()}
        apart = sum(alone[symbol].energy_per_atom for symbol in symbols)
        energies = {"formation_energy_per_atom": (cell.energy - apart) / len(symbols)}
        if self.options.end_members:
            entries = [_entry(each) for each in alone.values()]
            volumes = {symbol: one.volume / len(one.structure) for symbol, one in alone.items()}
            for pair in combinations(alone, 2):
                binaries = ordered_binaries(*pair, volumes)
                entries += [_entry(self._shared(each, log)) for each in binaries]
            _, above = PhaseDiagram(entries).get_decomp_and_e_above_hull(
                _entry(cell), allow_negative=True
            )
            assert above is not None
            energies["energy_above_hull"] = float(above)
        return energies

    def _reference(self, symbol: str, log: MeasurementLog) -> Calculation:
        if symbol not in self._references:
            self._references[symbol] = self._shared(reference_crystal(symbol), log)
        return self._references[symbol]

    def _shared(self, structure: Structure, log: MeasurementLog) -> Calculation:
        return self._procedure.relax(SortedStructure.of(structure).structure, log, is_shared=True)

    def _cost(self, seconds: float) -> Cost:
        return self.options.cost_of(seconds, self.options.cores)


def _rebuild(options: DftOptions, elements: tuple[str, ...], profile: Profile) -> DftOracle:
    return DftOracle(options, elements=elements, profile=profile)


def _properties(cell: Calculation) -> CheckedProperties:
    n = len(cell.structure)
    properties = {
        "energy_per_atom": cell.energy / n,
        "volume_per_atom": cell.volume / n,
        "density": float(cell.structure.density),
    }
    if cell.moment is not None:
        properties["magnetisation"] = cell.moment / n
    if cell.band_gap is not None:
        properties["band_gap"] = cell.band_gap
    return CheckedProperties(properties)


def _in_crystal_axes(cell: Calculation) -> Calculation:
    """Return a calculated cell turned into the crystal's conventional axes, so that the strains of
    its elastic constants are the same however it was given."""
    rotation, lattice = crystal_frame(cell.structure).rotation, cell.structure.lattice
    structure = Structure(
        Lattice(lattice.matrix @ rotation.T), cell.structure.species, cell.structure.frac_coords
    )
    stress = rotation @ np.array(cell.stress) @ rotation.T
    return replace(cell, structure=structure, stress=tuple(map(tuple, stress.tolist())))


def _moduli(fitted: FittedTensor, structure: Structure) -> CheckedProperties:
    """Return elastic constants in the crystal's axes, and the moduli that need no axes."""
    elastic = in_crystal_frame(tensor_of(fitted.tensor), structure)
    found = elastic_properties(elastic)
    constants = {
        name: value
        for name, value in found.items()
        if name in (*ELASTIC_CONSTANTS, "shear_modulus")
    }
    values = constants | {"bulk_modulus": float(elastic.k_voigt)}
    return checked_tensor_properties(values, fitted.difference)


def _entry(cell: Calculation) -> PDEntry:
    return PDEntry(cell.structure.composition, cell.energy)


def _level_settings(options: DftOptions, engine: Engine) -> dict[str, Any]:
    moments = {"table": MOMENTS, "elsewhere": DEFAULT_MOMENT, "given": options.magmoms}
    return {
        "procedure": PROCEDURE,
        "engine": engine.settings(),
        "moments": moments if options.spin else None,
    }


def _hash(settings: dict[str, Any]) -> str:
    return sha256(canonical_json(settings))
