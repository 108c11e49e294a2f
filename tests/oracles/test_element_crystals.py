"""Crystals that formation energies refer to."""

from typing import Any

import pytest

from alloop.campaigns.load import parse_spec
from alloop.errors import SpecError
from alloop.oracles.element_crystals import element_crystal, natural_volume


@pytest.mark.parametrize(
    ("symbol", "space_group", "distance"),
    [
        ("Ni", "Fm-3m", 2.49),
        ("Mg", "P6_3/mmc", 3.20),
        ("Si", "Fd-3m", 2.35),
        ("As", "R-3m", 2.51),  # J. Donohue, The Structures of the Elements (1974)
        ("Sn", "I4_1/amd", 3.02),
        ("In", "I4/mmm", 3.25),
    ],
)
def test_elements_have_the_crystal_and_distances_of_nature(
    symbol: str, space_group: str, distance: float
) -> None:
    crystal = element_crystal(symbol)
    assert crystal is not None
    assert crystal.get_space_group_info()[0] == space_group
    nearest = min(n.nn_distance for n in crystal.get_all_neighbors(4.0)[0])
    assert nearest == pytest.approx(distance, abs=0.03)
    assert crystal.volume / len(crystal) == pytest.approx(natural_volume(symbol))


@pytest.mark.parametrize("symbol", ["Mn", "Ga", "Se", "P"])
def test_what_has_many_atoms_in_its_cell_has_none(symbol: str) -> None:
    assert element_crystal(symbol) is None


MLIP: dict[str, Any] = {"kind": "mlip", "properties": ["formation_energy_per_atom"]}
DFT: dict[str, Any] = {"kind": "dft", "engine": "chgnet"}
STATIC: dict[str, Any] = {**DFT, "protocol": "static"}


def spec_of(tier: dict[str, Any], elements: list[str], wanted: str) -> dict[str, Any]:
    return {
        "name": "references",
        "space": {"kind": "structures", "elements": elements, "max_atoms": 6},
        "objectives": [{"property": wanted, "goal": "minimise"}],
        "tiers": [tier],
        "budget": {"initial": 8, "rounds": 1},
    }


@pytest.mark.parametrize(
    "tier", [MLIP, DFT, {"kind": "chain", "parts": [MLIP, STATIC]}], ids=["mlip", "dft", "chain"]
)
def test_a_space_whose_elements_have_no_reference_is_refused_before_anything_is_paid(
    tier: dict[str, Any],
) -> None:
    wanted = "formation_energy_per_atom"
    with pytest.raises(SpecError, match="no simple crystal is known of P, Mn to refer to"):
        parse_spec(spec_of(tier, ["Mg", "P", "Mn"], wanted), where="test")
    parse_spec(spec_of(tier, ["Mg", "P", "Mn"], "volume_per_atom"), where="test")
    parse_spec(spec_of(tier, ["Mg", "As"], wanted), where="test")
