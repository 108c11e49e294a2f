import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Element, Lattice, Structure

from alloop.errors import MaterialError
from alloop.models.crystal_table import read_crystal_table
from alloop.models.ftcp.representation.crystals import (
    EMPTY,
    CrystalArrays,
    Size,
    read_crystals,
    representation_problem,
    to_structures,
)
from alloop.models.ftcp.representation.elements import property_table
from alloop.models.ftcp.representation.matrix import (
    blocks,
    from_matrices,
    k_points,
    shape,
    to_matrices,
)
from alloop.models.ftcp.representation.scaling import Scaler

SYMBOLS = ("H", "Li", "C", "O", "Ti", "Fe", "La", "Pb", "U")


@st.composite
def crystals(draw: st.DrawFn) -> Structure:
    """Any cell, any sites; atoms may overlap, for the representation does not mind."""
    lengths = draw(st.tuples(*[st.floats(2.0, 20.0)] * 3))
    angles = draw(st.tuples(*[st.floats(65.0, 115.0)] * 3))
    names = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4, unique=True))
    species = draw(st.lists(st.sampled_from(names), min_size=1, max_size=6))
    point = st.tuples(*[st.floats(-1.0, 2.0, width=32)] * 3)
    coords = draw(st.lists(point, min_size=len(species), max_size=len(species)))
    return Structure(Lattice.from_parameters(*lengths, *angles), species, coords)


def round_trip(structures: list[Structure], size: Size) -> list[Structure]:
    read = read_crystals(structures, size)
    scaler = Scaler.fit(read, size)
    scaled = scaler.scale(to_matrices(read, size))
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    return to_structures(from_matrices(scaler.unscale(scaled), size))


@settings(max_examples=60, deadline=None)
@given(st.lists(crystals(), min_size=1, max_size=4))
def test_a_crystal_comes_back_from_its_matrix(structures):
    size = Size(5, 8)  # always with empty columns and sites
    for before, after in zip(structures, round_trip(structures, size), strict=True):
        assert after.species == before.species
        assert np.allclose(after.lattice.parameters, before.lattice.parameters, atol=1e-4)
        assert np.allclose(after.frac_coords, before.frac_coords, atol=1e-6)
        assert np.allclose(after.distance_matrix, before.distance_matrix, atol=1e-3)


def test_the_shape_is_the_papers():
    # ternary crystals of at most 20 sites: 103 + 2 + 2·20 + 1 + 92 rows, 3 + 59 columns
    assert shape(Size(3, 20)) == (238, 62)
    assert shape(Size(1, 24)) == (246, 62)
    assert shape(Size(4, 40)) == (278, 63)


def test_k_points_are_in_the_published_order():
    points = k_points()
    assert points.shape == (59, 3)
    assert points[:6].tolist() == [
        [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1], [0, -1, 0], [-1, 0, 0],
    ]  # fmt: skip
    assert points[6].tolist() == [2, 0, 0]
    sums = np.abs(points).sum(axis=1)
    assert (np.diff(sums) >= 0).all()
    assert sums.max() == 3
    assert len(np.unique(points, axis=0)) == 59


def test_reciprocal_space_is_equation_1(perovskites):
    structure, size = perovskites(1)[0], Size(4, 7)
    matrix = to_matrices(read_crystals([structure], size), size)[0]
    rows = blocks(size)
    for k, hkl in enumerate(k_points()):
        expected = sum(
            property_table()[site.specie.Z - 1] * np.pi * (hkl @ site.frac_coords)
            for site in structure
        )
        assert np.allclose(matrix[rows["properties"], 4 + k], expected, atol=1e-5)
        vector = structure.lattice.reciprocal_lattice_crystallographic.get_cartesian_coords(hkl)
        assert matrix[rows["k_distance"], 4 + k] == pytest.approx(np.linalg.norm(vector), rel=1e-5)
    assert not matrix[: rows["k_distance"].start, 4:].any()
    assert not matrix[rows["k_distance"], :4].any()


def test_elemental_properties_are_the_published_ones():
    table = property_table()
    assert table.shape == (103, 92)
    assert np.isfinite(table).all(axis=1).sum() == 100
    hydrogen = np.flatnonzero(table[0]).tolist()
    # group 1, period 1, electronegativity 2.20, radius 31 pm, one valence electron, s block
    assert hydrogen[:2] == [1, 19]
    assert len(hydrogen) == 9
    for symbol in ("Li", "O", "Fe", "Xe"):
        element = Element(symbol)
        assert table[element.Z - 1, element.group] == 1
        assert table[element.Z - 1, 18 + element.row] == 1


def test_hydrogen_and_empty_are_told_apart():
    hydride = Structure(Lattice.cubic(4.0), ["Li", "H"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    lithium = Structure(Lattice.cubic(3.4), ["Li"], [[0, 0, 0]])
    size = Size(3, 4)
    read = from_matrices(to_matrices(read_crystals([hydride, lithium], size), size), size)
    assert read.elements.tolist() == [[2, 0, EMPTY], [2, EMPTY, EMPTY]]
    assert [s.formula for s in to_structures(read)] == ["Li1 H1", "Li1"]
    # a decoder that puts most of a site on an empty column must not make it hydrogen
    matrix = to_matrices(read_crystals([lithium], size), size)
    occupancy = blocks(size)["occupancy"]
    matrix[0, occupancy, :3][0] = [0.3, 0.1, 0.6]
    assert [s.formula for s in to_structures(from_matrices(matrix, size))] == ["Li1"]


def test_decoded_occupancies_below_the_threshold_are_empty_sites(perovskite):
    size = Size(3, 7)
    matrix = to_matrices(read_crystals([perovskite()], size), size)
    sites = matrix[0, blocks(size)["occupancy"], :3]
    sites *= 0.6
    sites[5] = 0.04
    sites[6] = [0.01, 0.0, 0.06]
    coords = matrix[0, blocks(size)["coords"], :3]
    coords[6] = [0.25, 0.25, 0.25]
    (decoded,) = to_structures(from_matrices(matrix, size))
    assert decoded.formula == "Sr1 Ti1 O4"
    assert decoded.frac_coords[5].tolist() == [0.25, 0.25, 0.25]


def test_a_left_handed_cell_stays_the_same_crystal():
    left = Structure(
        Lattice([[4, 0, 0], [1.0, 5, 0], [0.5, 0.7, -6]]),
        ["Fe", "C", "O"],
        [[0.1, 0.2, 0.3], [0.4, 0.8, 0.15], [0.7, 0.55, 0.9]],
    )
    size = Size(3, 3)
    (after,) = round_trip([left], size)
    assert np.allclose(after.distance_matrix, left.distance_matrix, atol=1e-4)
    # chirality: the signed volume that the three positions span, which no rotation changes
    volumes = [np.linalg.det(structure.cart_coords) for structure in (left, after)]
    assert volumes[0] == pytest.approx(volumes[1], abs=1e-3)
    assert abs(volumes[0]) > 1


def test_order_of_rows_and_batches_does_not_matter(perovskites):
    structures, size = perovskites(6), Size(3, 5)
    together = to_matrices(read_crystals(structures, size), size)
    for row, structure in enumerate(structures):
        alone = to_matrices(read_crystals([structure], size), size)
        assert np.array_equal(alone[0], together[row])


def test_the_scaler_knows_training_rows_only(perovskites):
    structures, size = perovskites(20), Size(3, 5)
    training = read_crystals(structures[:10], size)
    scaler = Scaler.fit(training, size)
    rows = to_matrices(training, size)
    assert np.allclose(scaler.low, rows.min(axis=(0, 2)))
    large = structures[10].copy()
    large.scale_lattice(1000.0)
    scaled = scaler.scale(to_matrices(read_crystals([large], size), size))
    assert scaled[0, blocks(size)["lattice"]].max() > 1


@pytest.mark.parametrize(
    ("material", "reason"),
    [
        (Composition("NaCl"), "no sites"),
        (Structure(Lattice.cubic(4), [{"Fe": 0.5, "Ni": 0.5}], [[0, 0, 0]]), "partly occupied"),
        (Structure(Lattice.cubic(4), ["No"], [[0, 0, 0]]), "atomic number 102"),
        (Structure(Lattice.cubic(4), ["Fe"] * 3, np.eye(3) / 2), "3 sites"),
        (Structure(Lattice.cubic(4), ["Fe", "O"], np.eye(3)[:2] / 2), "2 elements"),
        (Structure(Lattice.cubic(4), ["Fe"], [[np.nan, 0, 0]]), "not finite"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(material, reason):
    assert reason in (representation_problem(material, Size(1, 2)) or "")


def test_matrices_of_another_size_are_refused(perovskite):
    matrix = to_matrices(read_crystals([perovskite()], Size(3, 5)), Size(3, 5))
    with pytest.raises(MaterialError, match="3 elements and 6 sites"):
        from_matrices(matrix, Size(3, 6))
    with pytest.raises(MaterialError, match="5 sites do not fit"):
        to_matrices(read_crystals([perovskite()], Size(3, 5)), Size(3, 6))


def test_cells_that_close_no_volume_are_refused():
    flat = CrystalArrays(
        np.array([[25, EMPTY, EMPTY]]),
        np.array([[3.0, 3.0, 3.0, 60.0, 60.0, 120.0]]),
        np.zeros((1, 1, 3)),
        np.array([[0]]),
    )
    with pytest.raises(MaterialError, match="no cell has the parameters 3, 3, 3, 60, 60, 120"):
        to_structures(flat)


@pytest.mark.parametrize("name", ["perov_5", "carbon_24"])
def test_published_crystals_come_back(data_folder, name, tmp_path):
    few = tmp_path / "few.csv"  # the benchmark does all of them
    pd.read_csv(data_folder / name / "val.csv", nrows=60).to_csv(few)
    structures = list(read_crystal_table(few, {}).data.materials)
    assert len(structures) == 60
    matcher = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)  # CDVAE's settings
    after = round_trip(structures, Size.of(structures))
    assert all(matcher.fit(*pair) for pair in zip(structures, after, strict=True))
