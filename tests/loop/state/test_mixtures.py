"""Convex hulls by linear programming, compared with pymatgen's diagrams and SciPy's HiGHS."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition
from scipy.optimize import linprog

from alloop.errors import AlloopError
from alloop.loop.state.hull import Hull, Phase, amounts_in, hull_of
from alloop.loop.state.mixtures import Floats, energies_above, facet_below

ELEMENTS = ("Ni", "Fe", "Cr", "Al", "Ti")
THIRTY = (
    *("Fe", "Ni", "Cr", "Co", "Al", "Ti", "Cu", "Mo", "V", "Nb", "Mn", "Zr", "Ta", "W", "Hf"),
    *("Si", "Rh", "Ru", "Re", "Os", "Pt", "Pd", "Ir", "Mg", "Ag", "Zn", "Sn", "Au", "Li", "Sc"),
)
NEAR = 1e-8
"""eV/atom."""


@st.composite
def measured(draw: st.DrawFn) -> tuple[Phase, ...]:
    """Phases of two to five elements; small amounts, so that many lie on the same lines."""
    elements = ELEMENTS[: draw(st.integers(2, 5))]
    amounts = st.lists(st.integers(0, 4), min_size=len(elements), max_size=len(elements))
    rows = draw(st.lists(st.tuples(amounts.filter(any), st.integers(-60, 30)), min_size=1))
    return tuple(
        Phase(formula_of(elements, counts), energy / 100, f"{i}")
        for i, (counts, energy) in enumerate(rows)
    )


def formula_of(elements: tuple[str, ...], counts: list[int]) -> str:
    return "".join(f"{el}{n}" for el, n in zip(elements, counts, strict=True) if n)


def diagram_of(hull: Hull) -> tuple[PhaseDiagram, list[PDEntry]]:
    entries = [
        PDEntry(Composition(phase.formula).fractional_composition, phase.formation_energy)
        for phase in hull.phases
    ]
    return PhaseDiagram(entries), entries


@settings(max_examples=150, deadline=None)
@given(measured())
def test_energies_above_the_hull_are_pymatgen_s(phases: tuple[Phase, ...]) -> None:
    hull = hull_of((), phases)
    diagram, entries = diagram_of(hull)
    expected = [diagram.get_e_above_hull(entry) for entry in entries[: len(phases)]]
    assert list(hull.energies_above.values()) == pytest.approx(expected, abs=NEAR)
    alone = [hull.energy_above(str(phase.candidate)) for phase in phases]
    assert alone == pytest.approx(expected, abs=NEAR)


@settings(max_examples=50, deadline=None)
@given(measured())
def test_a_decomposition_is_the_cheapest_mixture(phases: tuple[Phase, ...]) -> None:
    hull = hull_of((), phases)
    diagram, _ = diagram_of(hull)
    for phase in phases:
        parts = hull.decomposition(phase.formula)
        assert all(hull.energies_above.get(str(part.candidate), 0.0) == 0.0 for part, _ in parts)
        mixed = sum(
            (share * Composition(part.formula).fractional_composition for part, share in parts),
            start=Composition(),
        )
        assert mixed.almost_equals(Composition(phase.formula).fractional_composition, atol=1e-6)
        energy = sum(share * part.formation_energy for part, share in parts)
        expected = diagram.get_hull_energy_per_atom(Composition(phase.formula))
        assert energy == pytest.approx(expected, abs=NEAR)


@settings(max_examples=50, deadline=None)
@given(measured())
def test_stable_phases_are_those_of_pymatgen_and_what_lies_on_their_mixtures(
    phases: tuple[Phase, ...],
) -> None:
    hull = hull_of((), phases)
    diagram, entries = diagram_of(hull)
    ours = [Composition(phase.formula).reduced_formula for phase in hull.stable_phases]
    theirs = {
        Composition(phase.formula).reduced_formula
        for phase, entry in zip(hull.phases, entries, strict=True)
        if entry in diagram.stable_entries
    }
    assert len(ours) == len(set(ours)), "one of each composition"
    assert theirs <= set(ours)
    energies = {phase.formula: phase.formation_energy for phase in hull.stable_phases}
    for formula, energy in energies.items():
        expected = diagram.get_hull_energy_per_atom(Composition(formula))
        assert energy == pytest.approx(expected, abs=NEAR)


def many(n: int, fewest: int, most: int, seed: int) -> tuple[Floats, Floats]:
    """Return random phases of some of thirty elements, after the elements at 0 eV/atom."""
    rng = np.random.default_rng(seed)
    fractions = np.concatenate([np.eye(30), np.zeros((n, 30))])
    for row in fractions[30:]:
        k = int(rng.integers(fewest, most + 1))
        row[rng.choice(30, k, replace=False)] = rng.dirichlet(np.ones(k))
    return fractions, np.concatenate([np.zeros(30), rng.normal(-0.2, 0.2, n)])


def test_what_a_material_is_compared_with_are_phases_of_its_own_elements() -> None:
    """Among thirty elements as pymatgen finds it in the two to four of each."""
    fractions, energies = many(600, 2, 4, seed=3)
    above = energies_above(fractions, energies)
    for row in range(30, len(fractions), 13):
        elements = np.flatnonzero(fractions[row])
        inside = np.flatnonzero(np.delete(fractions, elements, axis=1).sum(axis=1) == 0)
        entries = {
            int(i): PDEntry(
                Composition({THIRTY[el]: fractions[i, el] for el in elements if fractions[i, el]}),
                energies[i],
            )
            for i in inside
        }
        expected = PhaseDiagram(list(entries.values())).get_e_above_hull(entries[row])
        assert above[row] == pytest.approx(expected, abs=NEAR)


@pytest.mark.parametrize(("fewest", "most"), [(2, 30), (30, 30)])
def test_a_material_of_all_thirty_elements_too(fewest: int, most: int) -> None:
    fractions, energies = many(200, fewest, most, seed=4)
    above = energies_above(fractions, energies)
    for row in range(30, 230, 20):
        found = linprog(energies, A_eq=fractions.T, b_eq=fractions[row], method="highs")
        assert above[row] == pytest.approx(energies[row] - found.fun, abs=NEAR)


def test_a_thousand_orderings_of_one_composition() -> None:
    """Every pivot is a tie: the composition itself, and halves and thirds of binaries."""
    cells = np.array([[1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=float)
    compositions = np.repeat(cells / cells.sum(axis=1, keepdims=True), 250, axis=0)
    fractions = np.concatenate([np.eye(3), compositions])
    energies = np.concatenate([np.zeros(3), np.tile(np.linspace(-0.3, -0.1, 250), 4)])
    expected = np.tile(np.linspace(0.0, 0.2, 250), 4)
    assert energies_above(fractions, energies)[3:] == pytest.approx(expected, abs=NEAR)


def test_energies_that_are_none_end_in_an_error() -> None:
    fractions = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    with pytest.raises(AlloopError, match=r"no convex hull .* Look for formation energies"):
        facet_below(fractions, np.array([0.0, 0.0, -np.inf]), np.array([0.4, 0.6]))


@given(st.dictionaries(st.sampled_from(THIRTY), st.integers(1, 999), min_size=1))
def test_formulas_are_read_as_pymatgen_reads_them(amounts: dict[str, int]) -> None:
    whole = "".join(f"{el}{n}" for el, n in amounts.items())
    assert amounts_in(whole) == pytest.approx(Composition(whole).get_el_amt_dict())
    shares = "".join(f"{el}{float(Fraction(n, 1000)):.3g}" for el, n in amounts.items())
    assert amounts_in(shares) == pytest.approx(Composition(shares).get_el_amt_dict())


@pytest.mark.parametrize("text", ["", "3", "ni", "Ni Fe", "Ni-Fe", "[Ni]", "Ni0", "Ni" + "9" * 400])
def test_what_is_no_formula(text: str) -> None:
    assert not amounts_in(text)


def test_a_hull_needs_neither_scipy_nor_pymatgen() -> None:
    program = (
        "import sys; from alloop.loop.state.hull import Phase, hull_of;"
        "hull = hull_of(('Ni', 'Fe'), (Phase('NiFe', -0.1, 'a'),));"
        "assert hull.energies_above == {'a': 0.0};"
        "assert not {'scipy', 'pymatgen'} & set(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
