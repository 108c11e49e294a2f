"""Cells of random alloys: rounding, published quasi-random structures, and what is measured."""

import itertools

import numpy as np
import pytest
from pydantic import ValidationError
from pymatgen.core import Composition, Lattice, Structure

from alloop.materials import Material, formula_of, material_from_json, material_to_json
from alloop.oracles.alloy_cells.cells import alloy_cell, rounding, site_counts
from alloop.oracles.alloy_cells.clusters import clusters_of, short_range_order
from alloop.oracles.alloy_cells.options import CellOptions
from alloop.oracles.alloy_cells.oracle import AlloyOracle
from alloop.oracles.base import Cost, FailureKind, Measurement
from alloop.oracles.lammps.options import LammpsOptions
from alloop.properties import PARENT_LATTICE_KEPT
from alloop.testing.oracles import check_oracle

FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
QUATERNARY = Composition("CoCrFeNi")


def lattice_in(vectors: list[list[float]]) -> Structure:
    """Return all fcc sites in a supercell, its vectors in units of the cubic edge."""
    lattice = Lattice(vectors)
    inside = {
        tuple(np.round(lattice.get_fractional_coords(np.array(cube) + site) % 1.0, 6) % 1.0)
        for cube in itertools.product(range(-4, 5), repeat=3)
        for site in FCC
    }
    return Structure(lattice, ["H"] * len(inside), sorted(inside))


def test_the_published_quasi_random_structure_has_its_published_correlations() -> None:
    # SQS8 for x = 1/4 (Wei et al., Phys. Rev. B 42 (1990) 9622): averages of products of ± 1
    cell = lattice_in([[0.5, 0.5, 0.0], [0.5, 0.0, 1.5], [1.0, -1.5, -0.5]])
    assert len(cell) == 8
    published = {
        "pairs of shell 1": 1 / 4,
        "pairs of shell 2": 1 / 3,
        "pairs of shell 3": 1 / 12,
        "pairs of shell 4": 1 / 6,
        "triangles": -1 / 4,
    }
    found = []
    for minority in itertools.combinations(range(8), 2):
        spins = np.full(8, -1.0)
        spins[list(minority)] = 1.0
        averages = {c.name: float(spins[c.members].prod(axis=1).mean()) for c in clusters_of(cell)}
        found.append(averages == pytest.approx(published))
    assert any(found)


def test_no_ordering_of_the_small_cell_is_nearer_to_the_random_alloy_than_the_one_found() -> None:
    options = CellOptions(lattice="fcc", atoms=8)
    found = alloy_cell(Composition("Cu3Au"), options)
    clusters = clusters_of(found.structure)

    def deviation(places: tuple[int, ...]) -> float:
        species = np.zeros(8, dtype=int)
        species[list(places)] = 1
        gaps = ((each, each.shares(species, 2)) for each in clusters)
        return sum(
            each.weight * float(((gap - each.random_shares(np.array([0.75, 0.25]))) ** 2).sum())
            for each, gap in gaps
        )

    gold = tuple(i for i, site in enumerate(found.structure) if site.specie.symbol == "Au")
    least = min(map(deviation, itertools.combinations(range(8), 2)))
    assert deviation(gold) == pytest.approx(least)


@pytest.mark.parametrize("lattice", ["fcc", "bcc", "hcp"])
def test_a_quasi_random_cell_is_nearer_to_the_random_alloy_than_a_random_one(lattice: str) -> None:
    worst = {}
    for kind in ("sqs", "random"):
        options = CellOptions.model_validate({"lattice": lattice, "atoms": 36, "kind": kind})
        cells = [alloy_cell(QUATERNARY, options, place) for place in range(2)]
        worst[kind] = np.mean([max(cell.short_range_order.values()) for cell in cells])
    assert worst["sqs"] < 0.7 * worst["random"]


def test_the_random_alloy_is_what_a_large_random_cell_comes_to() -> None:
    options = CellOptions(lattice="bcc", atoms=686, kind="random")
    order = alloy_cell(Composition("NbMoTa"), options).short_range_order
    assert max(order.values()) < 0.02


def test_a_cell_follows_from_the_numbers_of_its_sites_alone() -> None:
    options = CellOptions(lattice="fcc", atoms=32, kind="random")
    first, again = (alloy_cell(Composition({"Ni": x, "Fe": 1 - x}), options) for x in (0.5, 0.501))
    other = alloy_cell(Composition("NiFe"), options, place=1)
    assert material_to_json(first.structure) == material_to_json(again.structure)
    assert first.structure.species != other.structure.species
    assert formula_of(first.structure) == formula_of(other.structure) == "Fe16Ni16"


def test_fractions_are_rounded_to_sites_and_the_rounding_is_told() -> None:
    thirds = Composition({"Co": 1 / 3, "Cr": 1 / 3, "Ni": 1 / 3})
    assert site_counts(thirds, 32) == {"Co": 11, "Cr": 11, "Ni": 10}
    assert "32 sites, no fraction changed by more than 2.1 at. %" in rounding(
        thirds, CellOptions(lattice="fcc", atoms=32)
    )
    traces = Composition({"Ni": 0.99, "Cr": 0.01})
    assert site_counts(traces, 32) == {"Ni": 32}
    assert "without Cr" in rounding(traces, CellOptions(lattice="fcc", atoms=32))
    assert rounding(QUATERNARY, CellOptions(lattice="fcc", atoms=32)) == ""


def test_cells_of_sizes_that_no_lattice_has_are_refused() -> None:
    with pytest.raises(ValidationError, match="33 sites are no whole number of fcc cells"):
        CellOptions(lattice="fcc", atoms=33)
    assert len(alloy_cell(QUATERNARY, CellOptions(lattice="fcc", atoms=54)).structure) == 54


class Scale:
    """Measures the share of iron in a crystal, and its first site's element."""

    name = "scale"

    def __init__(self, fails_at: int = -1) -> None:
        self.fails_at = fails_at
        self.calls = 0

    def fingerprint(self) -> str:
        return "5" * 64

    def measure(self, material: Material) -> Measurement:
        assert isinstance(material, Structure)
        self.calls += 1
        told = {"oracle": self.name, "fingerprint": self.fingerprint()}
        if self.calls - 1 == self.fails_at:
            return Measurement.failed(
                FailureKind.NOT_CONVERGED, "gave up", cost=Cost(1, 2.0), **told
            )
        first = float(material[0].specie.symbol == "Fe")
        share = material.composition.get_atomic_fraction("Fe")
        return Measurement.succeeded(
            {"share": share, "first": first}, material=material, cost=Cost(1, 2.0), **told
        )


def test_the_mean_over_the_cells_is_recorded_with_its_error_and_every_cell() -> None:
    options = CellOptions(lattice="fcc", atoms=32, count=8, kind="random")
    found = AlloyOracle(Scale(), options).measure(Composition({"Fe": 0.26, "Ni": 0.74}))
    assert found.properties["share"] == 0.25
    assert found.properties[PARENT_LATTICE_KEPT] == 1.0
    assert found.document is not None
    cells = found.document["cells"]
    values = [cell["properties"]["first"] for cell in cells]
    assert 0 < found.properties["first"] == np.mean(values) < 1
    error = np.std(values, ddof=1) / np.sqrt(8)
    assert found.remarks["first"] == f"mean of 8 cells, standard error {error:.2g}"
    assert found.remarks["share"].startswith("Fe0.26Ni0.74 rounded to 32 sites")
    assert found.material is None
    assert len({str(material_from_json(cell["relaxed"]).species) for cell in cells}) == 8  # type: ignore[union-attr]
    assert found.cost == Cost(1, 16.0)


def test_one_cell_is_the_material_of_the_measurement() -> None:
    found = AlloyOracle(Scale(), CellOptions(lattice="fcc", atoms=32)).measure(Composition("NiFe"))
    assert isinstance(found.material, Structure)
    assert short_range_order(clusters_of(found.material), np.zeros(32, dtype=int), 1)
    assert found.remarks == {}


def test_what_fails_in_one_cell_fails_the_alloy() -> None:
    oracle = AlloyOracle(Scale(fails_at=1), CellOptions(lattice="fcc", atoms=32, count=3))
    failure = oracle.measure(Composition("NiFe")).failure
    assert failure is not None
    assert failure.kind is FailureKind.NOT_CONVERGED
    assert failure.message == "cell 2 of 3, Fe16Ni16: gave up"
    crystal = Structure(Lattice.cubic(3.5), ["Ni"] * 4, FCC)
    refused = oracle.measure(crystal).failure
    assert refused is not None
    assert "leave cells out" in refused.message


def test_the_fingerprint_knows_the_cells() -> None:
    base = CellOptions(lattice="fcc", atoms=32)
    changes = ({"lattice": "bcc"}, {"atoms": 108}, {"kind": "random"}, {"count": 2})
    prints = [
        AlloyOracle(Scale(), base.model_copy(update=change)).fingerprint()
        for change in ({}, *changes)
    ]
    assert len({*prints, Scale().fingerprint()}) == 6


def test_lammps_measures_compositions_as_an_oracle_should() -> None:
    tier = LammpsOptions(potential="CuNi.eam.alloy", cells=CellOptions(lattice="fcc", atoms=16))
    assert tier.spaces() == ("compositions",)
    bare = tier.model_copy(update={"cells": None})
    assert bare.spaces() == ("decorations", "structures")
    oracle = tier.build(["Cu", "Ni"])
    check_oracle(oracle, Composition("CuNi"), [Composition("CuAu")])
    alone = bare.build(["Cu", "Ni"])
    cell = alloy_cell(Composition("CuNi"), CellOptions(lattice="fcc", atoms=16)).structure
    measured, by_hand = oracle.measure(Composition("CuNi")), alone.measure(cell)
    assert measured.properties == {**by_hand.properties, PARENT_LATTICE_KEPT: 1.0}
