"""Decoded crystals relaxed and measured by LAMMPS, and judged by AlloGen's rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pymatgen.core import Structure

from alloop.loop.dataset import RememberingOracle
from alloop.materials import Material
from alloop.models.crystal_table import read_crystal_table
from alloop.models.pcdvae.acceptance import Energies, rejection_reason
from alloop.oracles.base import Measurement, Status
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.simulation.screening import cell_of, elements_of
from alloop.properties import FORMATION_ENERGY

DECODED_ENERGY = "decoded_energy"
"""Energy of the cell before relaxation, eV."""


class WithDecodedEnergy:
    """The LAMMPS oracle, whose answers also hold the energy before relaxation."""

    def __init__(self, inner: LammpsOracle) -> None:
        self.inner, self.name = inner, inner.name

    def fingerprint(self) -> str:
        return self.inner.fingerprint()

    def measure(self, material: Material) -> Measurement:
        answer = self.inner.measure(material)
        if answer.status is not Status.OK:
            return answer
        cell = cell_of(material, self.inner.potential)
        session = self.inner.simulator.session()
        session.load(elements_of(cell.structure))
        energy = session.evaluate(cell.box, cell.positions).energy
        properties = {**answer.properties, DECODED_ENERGY: energy}
        return Measurement(
            Status.OK, properties, answer.material, None, answer.oracle, answer.fingerprint
        )


@dataclass(frozen=True)
class Judged:
    """A decoded crystal that was measured."""

    decoded: Structure
    relaxed: Structure | None
    properties: Mapping[str, float]
    rejection: str | None
    """Why it is not correct; None where it is."""


class Judge:
    """Measures crystals once each, and says which are correct.

    Args:
        path: of the measurements.
        highest_per_atom: the highest relaxed energy in the training data, eV/atom.
    """

    def __init__(self, path: Path, highest_per_atom: float) -> None:
        elements = ("Cr", "Fe", "Ni")
        oracle = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017"), elements=elements)
        self.oracle = RememberingOracle(WithDecodedEnergy(oracle), path)
        self.highest_per_atom = highest_per_atom

    def judge(self, decoded: Sequence[Material]) -> list[Judged]:
        return [self._judge(one) for one in decoded if isinstance(one, Structure)]

    def _judge(self, decoded: Structure) -> Judged:
        answer = self.oracle.measure(decoded)
        if answer.failure is not None:
            return Judged(decoded, None, {}, f"{answer.failure.kind}: {answer.failure.message}")
        n, found = len(decoded), answer.properties
        energies = Energies(found[DECODED_ENERGY], n * found["energy_per_atom"], n)
        rejection = rejection_reason(energies, highest_per_atom=self.highest_per_atom)
        relaxed = answer.material if isinstance(answer.material, Structure) else None
        return Judged(decoded, relaxed, found, rejection)


def measured(table: Path) -> list[Judged]:
    """Return the rows of a data set, which were relaxed and measured already."""
    names = ("bulk_modulus", "energy_per_atom", FORMATION_ENERGY)
    data = read_crystal_table(table, {name: name for name in names}).data
    return [
        Judged(one, one, dict(zip(names, map(float, values), strict=True)), None)
        for one, values in zip(data.materials, data.labels, strict=True)
        if isinstance(one, Structure)
    ]


def columns(judged: Sequence[Judged], name: str) -> dict[str, float]:
    """Return the columns of AlloGen's Table 3: mean, mean of the best ten, number correct."""
    moduli = sorted(
        (one.properties["bulk_modulus"] for one in judged if one.rejection is None), reverse=True
    )
    figures = {f"{name}_n_correct": float(len(moduli)), f"{name}_n_decoded": float(len(judged))}
    if moduli:
        figures[f"{name}_mean_bulk_modulus_gpa"] = float(np.mean(moduli))
        figures[f"{name}_top10_bulk_modulus_gpa"] = float(np.mean(moduli[:10]))
    for rule, words in REASONS.items():
        n = sum(one.rejection is not None and words in one.rejection for one in judged)
        figures[f"{name}_rejected_{rule}"] = float(n)
    return figures


REASONS = {
    "energy": "eV/atom, more than",
    "far_from_rest": "above rest",
    "not_converged": "not_converged",
    "unphysical": "unphysical",
    "lost_atoms": "lost_atoms",
}
"""Words by which a rejection's reason is known."""
