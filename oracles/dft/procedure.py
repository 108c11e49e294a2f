"""The calculations of one measurement, flow by flow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from time import monotonic
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from jobflow import Flow, Job
from pymatgen.core import Structure

from alloop.canonical import canonical_json, sha256
from alloop.materials import material_to_json
from alloop.oracles.base import FailureKind
from alloop.oracles.dft.calculation import Calculation, check_relaxation
from alloop.oracles.dft.engines.base import BandEngine, Engine
from alloop.oracles.dft.local import Manager
from alloop.oracles.dft.moments import initial_moments
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.summaries import GPA_PER_KBAR, summarise, summarise_elasticity
from alloop.oracles.dft.transport import summarise_transport
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.strain_checks import CheckedProperties, PressureAt, checked_bulk_modulus

RELAX, STATIC = "relax", "static"
"""Names of the stages that a measurement begins with."""


@dataclass
class MeasurementLog:
    """Record of one measurement: its flows, time used, and deadline."""

    deadline: float
    """Time at which the measurement must end, by ``time.monotonic``, s."""
    seconds: float = 0.0
    flows: list[dict[str, Any]] = field(default_factory=list)
    """Flows run so far: stage, submission and outcome of each; shared ones are not among them."""
    references: dict[str, float] = field(default_factory=dict)
    """Energies of the elements it was compared with, eV/atom, by symbol."""

    def document(self) -> dict[str, Any]:
        """Return the record that is kept with the measurement, plain JSON."""
        return {"flows": self.flows, "references": self.references}

    def left(self) -> float:
        """Seconds left until the deadline.

        Raises:
            MeasurementFailed: if there are none.
        """
        if (left := self.deadline - monotonic()) <= 0:
            raise MeasurementFailed(
                FailureKind.TIMEOUT, "the time limit was reached before the next flow began"
            )
        return left


@dataclass(frozen=True)
class FittedTensor:
    """Elastic tensor in GPa, shape (6, 6), in the axes of the structure."""

    tensor: np.ndarray
    """Tensor fitted to all strains."""
    difference: float
    """Largest difference of the tensors of the smaller and of the larger strains alone, as a share
    of the largest constant; NaN where one could not be fitted."""

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read what ``summarise_elasticity`` wrote; NaN where it wrote nothing."""
        if not isinstance(document, Mapping):
            return cls(np.array([[np.nan]]), np.nan)
        tensor = np.array(document["tensor"], dtype=float)
        parts = [np.array(each, dtype=float) for each in document["parts"] if each is not None]
        if len(parts) < 2:
            return cls(tensor, np.nan)
        apart = np.abs(parts[0] - parts[1]).max() / np.abs(tensor).max()
        return cls(tensor, float(apart))


class Procedure:
    """Runner of the stages of a measurement at one level of theory.

    Args:
        engine: makes the jobs.
        manager: runs them.
        options: tolerances, strain, moments.
        level: hash of everything that changes what a relaxation gives; names submissions.
    """

    def __init__(self, engine: Engine, manager: Manager, options: DftOptions, level: str) -> None:
        self._engine, self._manager, self._options = engine, manager, options
        self._level = level

    def relax(
        self, structure: Structure, log: MeasurementLog, *, is_shared: bool = False
    ) -> Calculation:
        """Return the relaxed cell. A shared one, such as an element, is on the log only if nobody
        has calculated it before.

        Raises:
            MeasurementFailed: if it does not converge, or is not believable.
            FlowFailed: if a job raised.
        """
        start = self._with_moments(structure)
        job = self._engine.relaxation(start, seconds=self._seconds(log))
        relaxed = self._calculations(RELAX, structure, [job], log, is_shared=is_shared)[0]
        check_relaxation(
            structure,
            relaxed,
            max_change=self._options.max_volume_change,
            force_tolerance=self._options.force_tolerance,
        )
        return relaxed

    def single_point(self, structure: Structure, log: MeasurementLog) -> Calculation:
        """Return the cell as it is, calculated; see ``relax`` for what is raised."""
        job = self._engine.single_point(self._with_moments(structure), seconds=self._seconds(log))
        return self._calculations(STATIC, structure, [job], log)[0]

    def bulk_modulus(self, relaxed: Calculation, log: MeasurementLog) -> CheckedProperties:
        """Return ``bulk_modulus`` in GPa; see ``checked_bulk_modulus``.

        Raises:
            MeasurementFailed: see ``relax``; also if it is no solid's.
        """

        found: dict[float, Calculation] = {}

        def both_ways(strain: float) -> dict[float, PressureAt]:
            found.update(self.strained_cells(relaxed, strain, log, known=found))
            cells = {each: found[each] for each in (-strain, strain)}
            return {key: PressureAt(cell.volume, cell.pressure) for key, cell in cells.items()}

        return checked_bulk_modulus(both_ways, self._options.strain, relaxed.volume)

    def strained_cells(
        self,
        relaxed: Calculation,
        strain: float,
        log: MeasurementLog,
        *,
        known: Mapping[float, Calculation] = MappingProxyType({}),
    ) -> dict[float, Calculation]:
        """Return the cell shrunk and grown by a strain of every length, by that strain.

        Args:
            relaxed: the cell without strain.
            strain: positive.
            log: of the measurement.
            known: cells at other strains, whose atoms say where these set out from: to first order
                they shift in proportion to the strain.
        """
        cell = self._with_moments(relaxed.structure)
        maker = self._engine.fixed_cell(cell, seconds=self._seconds(log))
        strains = (-strain, strain)
        jobs = [maker.make(_strained(cell, each, known)) for each in strains]
        found = self._calculations(f"strain {strain!r}", relaxed.structure, jobs, log)
        return dict(zip(strains, found, strict=True))

    def elastic_tensor(self, relaxed: Calculation, log: MeasurementLog) -> FittedTensor:
        """Return the elastic tensor in GPa, in the axes of the structure.

        Raises:
            MeasurementFailed: see ``relax``.
        """
        flow = self._engine.elasticity(
            self._with_moments(relaxed.structure),
            stress=[[gpa / GPA_PER_KBAR for gpa in row] for row in relaxed.stress],
            seconds=self._seconds(log),
        )
        data = flow.output.fitting_data
        summary = summarise_elasticity(
            flow.output.elastic_tensor.raw, data.strains, data.pk_stresses, flow.output.eq_stress
        )
        whole = Flow([flow, summary], output=summary.output)
        document = self._run("elastic", relaxed.structure, whole, log)
        fitted = FittedTensor.from_json(document)
        if fitted.tensor.shape != (6, 6) or not np.isfinite(fitted.tensor).all():
            raise MeasurementFailed(
                FailureKind.NOT_CONVERGED, "the elastic tensor could not be fitted"
            )
        return fitted

    def power_factor(self, relaxed: Calculation, log: MeasurementLog) -> CheckedProperties:
        """Return ``power_factor`` in µW/(cm K²), with a remark on carriers and assumptions; see
        ``TransportOptions``.

        Raises:
            MeasurementFailed: see ``relax``.
        """
        wanted, engine = self._options.transport, self._engine
        assert wanted is not None  # whoever calls has asked for it
        assert isinstance(engine, BandEngine)  # the options see to it
        flow = engine.bands(
            self._with_moments(relaxed.structure),
            density=wanted.kpoint_density,
            seconds=self._seconds(log),
        )
        summary = summarise_transport(
            flow.output.dir_name, wanted.temperature, wanted.relaxation_time
        )
        whole = Flow([flow, summary], output=summary.output)
        document = self._run(f"transport {wanted!r}", relaxed.structure, whole, log)
        if not isinstance(document, Mapping) or not np.isfinite(document.get("power_factor", nan)):
            raise MeasurementFailed(FailureKind.ERROR, f"the flow returned {document!r}")
        carriers, doping = document["carriers"], document["doping"]
        remark = (
            f"{carriers}-type, {doping:.0e} carriers per cm³, {wanted.temperature:g} K, relaxation "
            f"time {wanted.relaxation_time:g} s"
        )
        values = {"power_factor": float(document["power_factor"])}
        return CheckedProperties(values, remarks={"power_factor": remark})

    def submission(self, stage: str, structure: Structure) -> str:
        """Return the name that a flow is submitted under, from what it calculates and how."""
        content = [stage, self._level, material_to_json(structure)]
        return sha256(canonical_json(content))[:32]

    def _seconds(self, log: MeasurementLog) -> float:
        """Return the time limit of a job, s; in a queue it is not known when it begins."""
        return min(log.left(), self._manager.longest_job)

    def _calculations(
        self,
        stage: str,
        structure: Structure,
        jobs: Sequence[Job | Flow],
        log: MeasurementLog,
        *,
        is_shared: bool = False,
    ) -> list[Calculation]:
        summary = summarise([self._engine.reading(job.output) for job in jobs])
        flow = Flow([*jobs, summary], output=summary.output)
        document = self._run(stage, structure, flow, log, is_shared=is_shared)
        if not isinstance(document, list) or len(document) != len(jobs):
            raise MeasurementFailed(FailureKind.ERROR, f"the flow returned {document!r}")
        identity = self._engine.identity(structure)
        return [Calculation.from_json(each, identity=identity) for each in document]

    def _run(
        self,
        stage: str,
        structure: Structure,
        flow: Flow,
        log: MeasurementLog,
        *,
        is_shared: bool = False,
    ) -> Any:
        submission = self.submission(stage, structure)
        flow.name = f"alloop {submission}"
        outcome = self._manager.run(submission, flow)
        if outcome.is_new or not is_shared:
            log.seconds += outcome.seconds
        if not is_shared:
            log.flows.append(
                {"stage": stage, "submission": submission, "outcome": outcome.document}
            )
        return outcome.document

    def _with_moments(self, structure: Structure) -> Structure:
        if not self._options.spin:
            return structure
        moments = initial_moments(structure, self._options.magmoms)
        return structure.copy(site_properties={"magmom": moments})


def _strained(structure: Structure, strain: float, known: Mapping[float, Calculation]) -> Structure:
    strained = structure.copy()
    strained.apply_strain([strain] * 3)
    same_sign = [each for each in known if each * strain > 0]
    if not same_sign:
        return strained
    nearest = min(same_sign, key=lambda each: (abs(each - strain), each))
    shifts = known[nearest].structure.frac_coords - structure.frac_coords
    shifts -= np.round(shifts)
    return Structure(
        strained.lattice,
        strained.species,
        structure.frac_coords + strain / nearest * shifts,
        site_properties=structure.site_properties,
    )
