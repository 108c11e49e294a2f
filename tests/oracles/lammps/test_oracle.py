"""The whole oracle: right values, the same values again, and failures as data."""

import csv
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Composition, DummySpecies, Lattice, Molecule, Structure
from scipy.spatial.transform import Rotation

from alloop.canonical import canonical_json
from alloop.errors import PotentialError
from alloop.files.cif import read_cif
from alloop.oracles.base import FailureKind, Measurement, Status
from alloop.oracles.lammps.options import DynamicsOptions, LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.properties import SIMULATION, Simulation
from alloop.oracles.lammps.simulation.session import LammpsSession
from alloop.testing.oracles import check_oracle

Alloy = Callable[..., Structure]
FACES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
CUBE = Lattice.cubic(3.55)
BAD = {
    "a composition": (Composition("NiFe"), FailureKind.UNSUPPORTED),
    "another element": (Structure(CUBE, ["Ni", "Ni", "Ni", "Al"], FACES), FailureKind.UNSUPPORTED),
    "no element": (Structure(CUBE, [DummySpecies("X")] * 4, FACES), FailureKind.UNSUPPORTED),
    "disorder": (Structure(CUBE, [{"Ni": 0.5, "Fe": 0.5}] * 4, FACES), FailureKind.UNSUPPORTED),
    "no atoms": (Structure(CUBE, [], []), FailureKind.UNSUPPORTED),
    "a slab's lattice": (
        Structure(Lattice(CUBE.matrix, pbc=(True, True, False)), ["Ni"] * 4, FACES),
        FailureKind.UNSUPPORTED,
    ),
    "NaN": (Structure(CUBE, ["Ni"] * 4, [*FACES[:3], [np.nan, 0, 0]]), FailureKind.UNPHYSICAL),
    "an infinite lattice": (
        Structure(Lattice(np.diag([np.inf, 3, 3])), ["Ni"], [[0, 0, 0]]),
        FailureKind.UNPHYSICAL,
    ),
    "a flat lattice": (
        Structure(Lattice([[3, 0, 0], [3, 0, 0], [0, 0, 3]]), ["Ni"], [[0, 0, 0]]),
        FailureKind.UNPHYSICAL,
    ),
    "overlap": (Structure(CUBE, ["Ni"] * 4, [*FACES[:3], [0.0, 0.5, 0.6]]), FailureKind.LOST_ATOMS),
    "the same place": (
        Structure(CUBE, ["Ni"] * 4, [*FACES[:3], [1.0, 0.5, 0.5]]),
        FailureKind.LOST_ATOMS,
    ),
    "a vacuum": (
        Structure(Lattice.cubic(50), ["Ni"] * 2, [[0, 0, 0], [0.05, 0, 0]]),
        FailureKind.UNPHYSICAL,
    ),
    "a molecule": (
        Structure(Lattice.cubic(7), ["Ni"] * 2, [[0, 0, 0], [0.3, 0, 0]]),
        FailureKind.UNPHYSICAL,
    ),
    "lone atoms": (Structure(Lattice.cubic(5.8), ["Ni"], [[0, 0, 0]]), FailureKind.UNPHYSICAL),
    "another lattice constant": (
        Structure(Lattice.cubic(4.0), ["Ni"] * 4, FACES),
        FailureKind.UNPHYSICAL,
    ),
    "atoms anywhere": (
        Structure(Lattice.cubic(8.5), ["Ni"] * 54, np.random.default_rng(0).random((54, 3))),
        FailureKind.UNPHYSICAL,
    ),
}


def values(measurement: Measurement) -> str:
    assert measurement.failure is None, measurement.failure
    return canonical_json(measurement.to_json() | {"cost": None})


@pytest.mark.parametrize("what", BAD)
def test_bad_materials_give_failures(oracle: LammpsOracle, what: str) -> None:
    material, kind = BAD[what]
    found = oracle.measure(material)
    assert found.failure is not None
    assert (found.failure.kind, found.failure.retryable) == (kind, False)


def test_it_keeps_what_every_oracle_promises(options: LammpsOptions, alloy: Alloy) -> None:
    good = alloy({"Ni": 18, "Cr": 18, "Fe": 18})
    bad = [material for material, _ in BAD.values()]
    check_oracle(LammpsOracle(options), good, bad)


def test_with_everything_asked_for_it_keeps_them_too(options: LammpsOptions, alloy: Alloy) -> None:
    everything = (
        "c11",
        "energy_above_competing_phase",
        "surface_energy",
        "stacking_fault_energy",
        "crystal_fraction",
        "c11_at_temperature",
    )
    short = DynamicsOptions(atoms=16, equilibrate=0.02, sample=0.04)
    asked = options.model_copy(update={"properties": everything, "dynamics": short})
    oracle = LammpsOracle(asked)
    good = alloy({"Ni": 2})
    # A few dozen steps of dynamics tell little of the averages that they are for.
    sampled = [name for name, by in SIMULATION.items() if by is Simulation.DYNAMICS]
    check_oracle(oracle, good, [BAD["NaN"][0], BAD["another element"][0]], sampled=sampled)
    assert set(oracle.measure(good).properties) == set(SIMULATION)
    oracle.close()


def test_something_else_than_a_material_fails_too(oracle: LammpsOracle) -> None:
    for nothing in (None, Molecule(["Ni"], [[0, 0, 0]]), "Ni"):
        found = oracle.measure(nothing)  # type: ignore[arg-type]
        assert found.failure is not None
        assert found.failure.kind is FailureKind.UNSUPPORTED


def test_values_do_not_depend_on_what_was_measured_before(
    oracle: LammpsOracle, options: LammpsOptions, alloy: Alloy
) -> None:
    pool = [
        alloy({"Ni": 20, "Cr": 14, "Fe": 20}, seed=1),
        alloy({"Fe": 12, "Cr": 4}, "bcc", edge=2.87, seed=2),
        alloy({"Ni": 1, "Fe": 1}, "bcc", edge=2.85),
        Structure(Lattice.from_parameters(2.5, 2.5, 2.5, 60, 60, 60), ["Ni"], [[0.3, 0.2, 0.9]]),
    ]
    alone = []
    for structure in pool:
        fresh = LammpsOracle(options)
        alone.append(values(fresh.measure(structure)))
        fresh.close()
    spoilers = [material for material, _ in BAD.values()]
    rng = np.random.default_rng(3)
    for _ in range(12):
        oracle.measure(spoilers[rng.integers(len(spoilers))])
        i = rng.integers(len(pool))
        assert values(oracle.measure(pool[i])) == alone[i]


def test_another_process_measures_the_same(
    oracle: LammpsOracle, alloy: Alloy, tmp_path: Path
) -> None:
    structure = alloy({"Ni": 6, "Cr": 5, "Fe": 5})
    here = values(oracle.measure(structure))
    (tmp_path / "oracle").write_bytes(pickle.dumps((oracle, structure)))
    program = (
        "import pickle, pathlib, json, sys\n"
        "oracle, structure = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "print(json.dumps(oracle.measure(structure).to_json()))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "oracle")],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert values(Measurement.from_json(json.loads(answer.stdout))) == here


def test_moving_turning_and_mirroring_the_crystal_changes_nothing(
    oracle: LammpsOracle, alloy: Alloy
) -> None:
    structure = alloy({"Ni": 6, "Cr": 5, "Fe": 5}, seed=4)
    mirror = np.diag([1, -1, 1]) @ Rotation.random(rng=5).as_matrix()
    turned = Structure(
        Lattice(structure.lattice.matrix @ mirror),
        structure.species,
        structure.frac_coords + np.array([0.31, 1.7, -0.2]),
    )
    before, after = oracle.measure(structure), oracle.measure(turned)
    for name, value in before.properties.items():
        assert after.properties[name] == pytest.approx(value, rel=1e-5, abs=1e-9), name
    assert isinstance(before.material, Structure)
    assert isinstance(after.material, Structure)
    # It comes back as it went in: turned, moved, and with its sites in order.
    assert after.material.species == structure.species
    np.testing.assert_allclose(
        after.material.lattice.matrix, before.material.lattice.matrix @ mirror, atol=1e-6
    )
    moved = after.material.frac_coords - before.material.frac_coords
    np.testing.assert_allclose(moved - moved[0], 0, atol=1e-6)


def test_the_relaxed_structure_is_at_rest(oracle: LammpsOracle, alloy: Alloy) -> None:
    first = oracle.measure(alloy({"Ni": 6, "Cr": 5, "Fe": 5}))
    assert isinstance(first.material, Structure)
    again = oracle.measure(first.material)
    for name, value in first.properties.items():
        assert again.properties[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
    assert first.properties["density"] == pytest.approx(first.material.density)
    volume = first.material.volume / len(first.material)
    assert first.properties["volume_per_atom"] == pytest.approx(volume)


def test_one_atom_and_its_supercell_agree(oracle: LammpsOracle) -> None:
    one = Structure(Lattice.from_parameters(2.5, 2.5, 2.5, 60, 60, 60), ["Ni"], [[0, 0, 0]])
    few, many = oracle.measure(one).properties, oracle.measure(one * (3, 3, 3)).properties
    for name, value in few.items():
        assert many[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


def test_ten_thousand_atoms_are_measured_like_one(oracle: LammpsOracle) -> None:
    cube = Structure(Lattice.cubic(3.52139177), ["Ni"] * 4, FACES)
    few, many = oracle.measure(cube), oracle.measure(cube * (14, 14, 13))
    assert many.failure is None, many.failure
    for name, value in few.properties.items():
        assert many.properties[name] == pytest.approx(value, rel=1e-6, abs=1e-8), name


@pytest.mark.parametrize(
    "settings",
    [
        {"potential": "Cu_mishin1.eam.alloy", "threads": 2},
        {"potential": "Cu_u3.eam"},
        {"potential": "Cu_mishin1.eam.alloy", "strain": 1e-4, "force_tolerance": 1e-7},
    ],
    ids=["threads", "another pair style", "another strain"],
)
def test_with_other_settings_it_keeps_the_promises(settings: dict[str, object]) -> None:
    oracle = LammpsOracle(LammpsOptions.model_validate(settings))
    copper = Structure(CUBE, ["Cu"] * 4, FACES)
    check_oracle(oracle, copper, [BAD["NaN"][0], BAD["overlap"][0]])
    oracle.close()


def test_the_fingerprint_speaks_of_values_only(options: LammpsOptions) -> None:
    def fingerprint(**changes: object) -> str:
        return LammpsOracle(options.model_copy(update=changes)).fingerprint()

    assert fingerprint() == fingerprint(timeout=5.0) == fingerprint(promote=3)
    others = {fingerprint(strain=1e-4), fingerprint(force_tolerance=1e-6)}
    others |= {fingerprint(), fingerprint(max_evaluations=7)}
    assert len(others) == 4


def test_running_out_of_evaluations_is_a_failure(options: LammpsOptions, alloy: Alloy) -> None:
    oracle = LammpsOracle(options.model_copy(update={"max_evaluations": 12}))
    found = oracle.measure(alloy({"Ni": 6, "Cr": 5, "Fe": 5}))
    oracle.close()
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_CONVERGED


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("ERROR: Lost atoms: original 54 current 53", FailureKind.LOST_ATOMS),
        ("ERROR: Neighbor list overflow", FailureKind.ERROR),
    ],
)
def test_after_an_error_in_lammps_a_new_instance_measures_the_same(
    options: LammpsOptions,
    alloy: Alloy,
    monkeypatch: pytest.MonkeyPatch,
    message: str,
    kind: FailureKind,
) -> None:
    structure = alloy({"Ni": 6, "Cr": 5, "Fe": 5})
    oracle = LammpsOracle(options)
    before = values(oracle.measure(structure))
    session = oracle.simulator.session()

    def explode(*_: object) -> None:
        raise Exception(message)  # what the lammps module raises

    with monkeypatch.context() as patch:
        patch.setattr(LammpsSession, "evaluate", explode)
        found = oracle.measure(structure)
    assert found.failure is not None
    assert (found.failure.kind, message in found.failure.message) == (kind, True)
    assert values(oracle.measure(structure)) == before
    assert oracle.simulator.session() is not session
    oracle.close()


def test_bulk_moduli_are_the_published_ones(oracle: LammpsOracle, allogen: Path) -> None:
    with (allogen / "test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    errors = []
    for row in rows[:60]:
        structure = read_cif(row["cif"]).structure
        symbols = set(structure.symbol_set)
        # Binaries with Fe were published with another potential, or with elements swapped.
        if symbols == {"Ni", "Cr"} or len(symbols) == 3:
            found = oracle.measure(structure)
            assert found.status is Status.OK
            errors.append(found.properties["bulk_modulus"] - float(row["ealstic_vector"]))
    assert len(errors) > 30
    assert np.mean(np.abs(errors)) < 0.02
    assert np.median(np.abs(errors)) < 1e-4


def test_threads_give_the_same_values_and_are_counted() -> None:
    copper = Structure(CUBE, ["Cu"] * 4, FACES) * (4, 4, 4)
    one, two = (
        LammpsOracle(LammpsOptions(potential="Cu_mishin1.eam.alloy", threads=n)) for n in (1, 2)
    )
    first, second = one.measure(copper), two.measure(copper)
    one.close()
    two.close()
    assert second.failure is None, second.failure
    for name, value in first.properties.items():
        assert second.properties[name] == pytest.approx(value, rel=1e-6, abs=1e-8), name
    assert one.fingerprint() != two.fingerprint()
    assert second.cost.core_hours == pytest.approx(2 * second.cost.wall_seconds / 3600)


def test_threads_that_a_pair_style_cannot_use_are_refused(options: LammpsOptions) -> None:
    with pytest.raises(PotentialError, match="meam on one thread only, not on 4"):
        LammpsOracle(options.model_copy(update={"threads": 4}))
