"""A material's id is its content's; its plain form brings it back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition, Lattice, Structure

from alloop.errors import MaterialError
from alloop.materials import (
    composition_of,
    formula_of,
    material_from_json,
    material_id,
    material_to_json,
)

COORDINATES = st.floats(-2, 2, allow_nan=False)


@given(st.lists(st.tuples(COORDINATES, COORDINATES, COORDINATES), min_size=1, max_size=6))
def test_a_structure_survives_its_plain_form(sites: list[tuple[float, float, float]]) -> None:
    structure = Structure(
        Lattice([[3, 0.1, 0], [0, 4, 0.2], [0.3, 0, 5]]), ["Ni"] * len(sites), sites
    )
    again = material_from_json(json.loads(json.dumps(material_to_json(structure))))
    assert isinstance(again, Structure)
    assert np.allclose(again.frac_coords, structure.frac_coords, atol=1e-8)
    assert np.allclose(again.lattice.matrix, structure.lattice.matrix, atol=1e-8)
    assert material_id(again) == material_id(structure)


def test_a_composition_is_known_by_its_fractions() -> None:
    assert material_id(Composition("Ni2Fe2")) == material_id(Composition("FeNi"))
    assert material_id(Composition("Ni2Fe")) != material_id(Composition("FeNi"))
    assert dict(composition_of(Composition("Ni3Fe")).get_el_amt_dict()) == {"Ni": 0.75, "Fe": 0.25}
    assert formula_of(Composition({"Fe": 0.25, "Ni": 0.75})) == "Fe0.25Ni0.75"


def test_equal_content_has_an_equal_id_and_other_content_another() -> None:
    cubic = Lattice.cubic(3.5)
    one = Structure(cubic, ["Ni", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    same = Structure(cubic, ["Ni", "Fe"], [[-0.0, 1e-12, 0], [0.5, 0.5, 0.5]])
    swapped = Structure(cubic, ["Fe", "Ni"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert material_id(one) == material_id(same) != material_id(swapped)


def test_oxidation_states_are_left_out() -> None:
    ionic = Structure(Lattice.cubic(4.2), ["Na+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert material_to_json(ionic)["species"] == ["Na", "Cl"]


def test_disorder_is_refused() -> None:
    mixed = Structure(Lattice.cubic(3.5), [{"Ni": 0.5, "Fe": 0.5}], [[0, 0, 0]])
    with pytest.raises(MaterialError, match="partly occupied"):
        material_to_json(mixed)


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "molecule"},
        {"kind": "structure"},
        {"kind": "composition", "fractions": {"Zz": 1}},
        {"kind": "structure", "lattice": [[1, 0]], "species": [], "frac_coords": []},
        {"@module": "os", "@class": "system", "kind": None},
    ],
)
def test_other_json_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(MaterialError):
        material_from_json(data)
