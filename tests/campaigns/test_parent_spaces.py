"""What a spec may say of parents, and what is refused with the place and the remedy."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

from alloop.campaigns.load import parse_spec
from alloop.errors import SpecError
from alloop.loop.choose.random_candidates import random_materials
from alloop.space import Decorations

ALLOY = {"parent": "hcp", "atoms": 16, "elements": ["Mg", "Al"]}
PEROVSKITE = {
    "parent": "perovskite",
    "supercell": [2, 2, 2],
    "sublattices": {
        "A": {"elements": ["Sr", "Ca", "Ba"]},
        "B": {"elements": ["Ti"]},
        "X": {"elements": ["O", "vacancy"], "fractions": {"vacancy": [0, 0.05]}},
    },
}


def parsed(space: dict[str, Any], folder: Path | None = None) -> Decorations:
    spec = {
        "name": "own",
        "space": space,
        "objectives": [{"property": "energy_per_atom", "goal": "minimise"}],
        "tiers": [{"kind": "dft", "engine": "chgnet"}],
    }
    found = parse_spec(spec, where="here", folder=folder).space
    assert isinstance(found, Decorations)
    return found


def changed(space: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**space, **changes}


def with_sublattice(name: str, **told: Any) -> dict[str, Any]:
    return changed(PEROVSKITE, sublattices={**PEROVSKITE["sublattices"], name: told})


def test_elements_follow_from_the_sublattices() -> None:
    space = parsed(PEROVSKITE)
    assert space.elements == ("Sr", "Ca", "Ba", "Ti", "O")
    assert space.count_bounds()["Ti"] == (8, 8)
    assert space.count_bounds()["O"] == (0, 24)
    assert space.layout.sublattices[1].count_bounds == ((0, 24), (0, 1))


def test_what_is_recorded_reads_as_the_same_space() -> None:
    for data in (
        ALLOY,
        PEROVSKITE,
        {"parents": ["fcc", "bcc"], "atoms": 16, "elements": ["Ni", "Al"]},
    ):
        space = parsed(data)
        assert parsed(space.model_dump(mode="json")) == space


def test_a_crystal_of_ones_own_is_kept_with_the_campaign(tmp_path: Path) -> None:
    crystal = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.9), ["Sr", "Ti", "O"], [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]]
    )
    crystal.to(str(tmp_path / "sto.cif"))
    data = {
        "parent": {"file": "sto.cif"},
        "supercell": [2, 2, 2],
        "sublattices": {"A": {"sites": ["Sr"], "elements": ["Sr", "Ca"]}},
    }
    space = parsed(data, tmp_path)
    (tmp_path / "sto.cif").unlink()
    again = parsed(space.model_dump(mode="json"))
    assert again.elements == ("Sr", "Ca", "Ti", "O")
    made = next(random_materials(again, 0, 1))
    assert made.volume == pytest.approx(8 * 3.9**3)  # its own lattice parameter
    assert made.composition["Ti"] == 8


def test_charges_balance_in_whatever_is_drawn() -> None:
    space = parsed(
        changed(
            PEROVSKITE,
            sublattices={
                "A": {"elements": ["Sr", "La"]},
                "B": {"elements": ["Ti", "Fe"]},
                "X": {"elements": ["O", "vacancy"], "fractions": {"vacancy": [0, 0.2]}},
            },
            charges={"Sr": 2, "La": 3, "Ti": 4, "Fe": 3, "O": -2},
        )
    )
    states = {"Sr": 2, "La": 3, "Ti": 4, "Fe": 3, "O": -2}
    for material in random_materials(space, 0, 40):
        assert sum(states[site.specie.symbol] for site in material) == 0


@pytest.mark.parametrize(
    ("space", "says"),
    [
        (changed(ALLOY, parent="hpc"), "did you mean hcp"),
        (changed(ALLOY, atoms=17), "take 16 or 18"),
        (changed(ALLOY, supercell=[50, 50, 50]), "a supercell of 250000 sites"),
        (changed(ALLOY, atoms=1_000_000), "a supercell of 1000000 sites"),
        (changed(ALLOY, supercell=[100, 1, 1]), "1 to 64 cells.* take a smaller one"),
        (changed(ALLOY, banned=["Mg", "Al"]), "every element is banned; loosen banned"),
        (changed(ALLOY, atoms="some"), "write 54, or about 54"),
        (changed(ALLOY, lattices=["fcc"]), "write one of them"),
        (changed(ALLOY, parent="rocksalt"), "rocksalt has the sites A, X"),
        (changed(ALLOY, elements=["Mg", "vacancy"]), "a vacancy is a species of a sublattice"),
        (changed(ALLOY, fractions={"Mg": [0.45, 0.49]}), "no whole number of Mg"),
        (with_sublattice("Z", elements=["O", "F"]), "sublattice Z is empty"),
        (with_sublattice("Z", sites=["A"], elements=["O", "F"]), "overlap"),
        (with_sublattice("A", elements=["Sr"]), None),
        (with_sublattice("A", elements=["Sr", "Sr"]), "names one twice"),
        (with_sublattice("A", elements=["Sr", "Xx"]), "neither a chemical element"),
        (with_sublattice("A", elements=["vacancy"]), "no atoms"),
        (with_sublattice("A", elements=["Sr", "Ca"], fractions={"Ba": [0, 1]}), "bounds Ba"),
        (changed(PEROVSKITE, fractions={"Sr": [0, 0.1]}), "shares of a sublattice"),
        (changed(PEROVSKITE, elements=["Sr"]), "leave elements out"),
        (
            changed(PEROVSKITE, sublattices={"A": {"elements": ["Sr", "Ca"]}}),
            "nothing is said of the sites B, X",
        ),
        (
            changed(PEROVSKITE, sublattices={k: {"elements": ["O"]} for k in "ABX"}),
            "nothing to order",
        ),
        (
            changed(PEROVSKITE, charges={"Sr": 2, "Ca": 2, "Ba": 2, "Ti": 3, "O": -2}),
            "charges cannot balance: the cell's total is",
        ),
        (changed(PEROVSKITE, charges={"Sr": 2}), "oxidation state of Ca, Ba, Ti, O"),
        (
            {"parents": ["fcc", "hcp"], "supercell": [2, 2, 2], "elements": ["Mg", "Al"]},
            "fcc has 32 sites of sublattice A, hcp has 16",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(space: dict[str, Any], says: str | None) -> None:
    if says is None:
        assert parsed(space).layout.n_open == 24  # the A sites are fixed
        return
    with pytest.raises(SpecError, match=says):
        parsed(space)


def test_a_partly_occupied_parent_is_refused(tmp_path: Path) -> None:
    mixed = Structure(Lattice.cubic(3.9), [{"Sr": 0.5, "Ca": 0.5}, "Ti"], [[0, 0, 0], [0.5] * 3])
    mixed.to(str(tmp_path / "mixed.cif"))
    with pytest.raises(SpecError, match="partly occupied site"):
        parsed({"parent": {"file": "mixed.cif"}, "elements": ["Sr", "Ca"]}, tmp_path)


def test_a_recorded_space_makes_nobody_read_a_file() -> None:
    recorded = {"parent": {"file": "/etc/hostname.cif"}, "elements": ["Sr", "Ca"]}
    with pytest.raises(ValidationError, match=r"content of .* is missing"):
        Decorations.model_validate(recorded)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.cif"):
        parsed({"parent": {"file": "nowhere.cif"}, "elements": ["Sr", "Ca"]}, tmp_path)
